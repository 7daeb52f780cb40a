"""The box of what to distrust names the samples that have a fault, and no others."""

import numpy as np
import pytest
from report_page import attribution, written

import polyattr
from polyattr import Names

RNG = np.random.default_rng(1)
N = 8


def values(n=N, features=6):
    return RNG.choice([-1.0, 1.0], size=(n, features)) * RNG.uniform(0.5, 1.5, (n, features))


def changed(array, **places):
    found = np.array(array)
    for place, value in places.items():
        found[int(place[1:])] = value
    return found


GOOD = attribution(values())
CONVERGED = np.ones(N, bool)


def planted():
    few, many = values(), values(features=400)
    few[2, 3], few[5] = np.nan, np.inf
    spike = values()
    spike[4, 1] = 60.0
    wide = many.copy()
    wide[6, 7] = 300.0
    scores = GOOD.scores
    return {
        "lost": (few, {}, {2, 5}),
        "lost scores": (values(), {"scores": changed(scores, _3=np.nan)}, {3}),
        "lost baselines": (values(), {"baseline_scores": changed(-np.ones(N), _6=np.inf)}, {6}),
        "unfinished": (
            values(),
            {"converged": changed(CONVERGED, _1=False, _7=False)},
            {1, 7},
        ),
        "large": (values(), {"error": changed(GOOD.error, _3=0.11, _0=0.5)}, {0, 3}),
        "unknown": (values(), {"error": changed(GOOD.error, _4=np.nan)}, {4}),
        "alike": (values(), {"baseline_scores": changed(-scores, _2=scores[2] + 0.01)}, {2}),
        "missed": (values(), {"completeness_gap": changed(np.zeros(N), _5=-2.0)}, {5}),
        "zero": (changed(values(), _0=0.0), {}, {0}),
        "dominated": (spike, {}, {4}),
        "dominated of many": (wide, {}, {6}),
    }


@pytest.mark.parametrize("fault", planted())
def test_a_fault_is_found_where_it_is_and_nowhere_else(fault, tmp_path):
    data, changes, where = planted()[fault]
    page = written(attribution(data, **changes), tmp_path)
    found = {key: set(named) for key, named in page.doubts().items()}
    key = fault.split()[0]
    assert found == {key: where}
    marked = page.table()["distrust"]
    assert {k for k in range(N) if marked[k].text} == where
    for k in range(N):
        assert bool(page.card(k).all("p", of="marks")) == (k in where)
    box = page.one("div", id=f"why-{key}")
    assert f"{len(where)} of {N} samples" in box.one("h3").text
    assert "Why it matters." in box.text
    assert "What to do." in box.text


def test_where_nothing_is_found_it_says_what_was_looked_for(tmp_path):
    page = written(GOOD, tmp_path)
    said = page.one(id="distrust").text
    assert page.doubts() == {}
    assert "Nothing was found" in said
    for what in (
        *("not converged", "large error", "not finite", "score alike", "maps of zeros"),
        *("one feature dominates", "look like probabilities", "misses the difference"),
    ):
        assert what in said
    assert "distrust" not in page.table()
    bare = attribution(values(), baseline_scores=None, completeness_gap=None)
    said = written(bare, tmp_path).one(id="distrust").text
    assert "Cannot be checked of this result: baseline and input score alike; map misses" in said


def test_how_bad_it_is_stands_beside_the_sample_and_the_worst_is_first(tmp_path):
    error = changed(GOOD.error, _1=0.2, _6=0.9, _3=0.3)
    page = written(attribution(values(), error=error, converged=error < 0.1), tmp_path)
    assert page.doubts()["unfinished"] == [6, 3, 1]
    assert "6 (error 90%), 3 (error 30%), 1 (error 20%)" in page.one(id="why-unfinished").text
    names = Names(features=[f"f{k}" for k in range(6)], rows=list("abcdefgh"))
    spike = values()
    spike[4, 1] = 60.0
    page = written(attribution(spike, names=names), tmp_path)
    said = page.one(id="why-dominated").text
    assert "4 (e) (f1, 9" in said
    assert "in how many maps: f1 (1)" in said


def test_of_very_many_only_the_worst_are_named_and_all_are_marked(tmp_path):
    n = 60
    error = np.linspace(0.2, 0.9, n)
    page = written(attribution(values(n), error=error, converged=np.zeros(n, bool)), tmp_path)
    assert page.doubts()["unfinished"] == list(range(n - 1, n - 25, -1))
    box = page.one(id="why-unfinished")
    assert "and 36 more" in box.text
    assert "all 60 samples" in box.one("h3").text
    assert {cell.text for cell in page.table()["distrust"]} == {"not converged"}


PROBABLE = {"scores": np.linspace(0.3, 0.99, N), "baseline_scores": np.full(N, 0.1)}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, True),
        ({"targets": None}, True),
        ({"baseline_scores": np.full(N, -0.1)}, False),
        ({"scores": np.linspace(0.3, 1.01, N)}, False),
        ({"targets": np.ones((N, 2)) / 2}, False),
        ({"targets": "my_score"}, False),
        ({"method": "IntegratedGradients(steps=5, output_layer='logits')"}, False),
        ({"method": "IntegratedGradients(steps=5, operator='regression')"}, False),
        ({"method": "IntegratedGradients(steps=5, operator='classification')"}, True),
        ({"method": "IntegratedGradients(steps=5, output_layer=None)"}, True),
    ],
)
def test_scores_that_look_like_probabilities(changes, found, tmp_path):
    small = 0.1 * values()
    result = attribution(small, completeness_gap=np.zeros(N), **(PROBABLE | changes))
    page = written(result, tmp_path)
    assert ("probable" in page.doubts()) == found
    if found:
        said = page.one(id="why-probable").text
        assert "all 8 samples" in said
        assert "go from 0.3 to 0.99" in said
        assert 'output_layer="logits"' in said


def test_the_outputs_of_a_softmax_are_found_and_its_logits_are_not(lab, tmp_path):
    weights = RNG.normal(size=(4, 3)) * 2

    def logits(ops, x):
        return ops.matmul(x, ops.like(weights, x)) + ops.like([9.0, -9.0, 0.0], x)

    x, asked = lab.tensor(RNG.normal(size=(4, 4))), np.array([0, 1, 2, 0])
    plain = polyattr.IntegratedGradients(lab.function(logits), backend=lab.name, steps=64)
    soft = polyattr.IntegratedGradients(
        lab.function(lambda ops, x: ops.softmax(logits(ops, x))), backend=lab.name, steps=64
    )
    assert "probable" not in written(plain.attribute(x, asked), tmp_path).doubts()
    with pytest.warns(polyattr.QuestionWarning):
        result = soft.attribute(x, asked)
    assert "probable" in written(result, tmp_path).doubts()


def test_regressions_far_from_zero_and_maps_that_cancel_are_not_alike(tmp_path):
    # The difference is small beside the score, and all that the map has.
    far = attribution(
        values() * 500,
        scores=np.full(N, 200_000.0),
        baseline_scores=np.full(N, 199_000.0),
        completeness_gap=np.zeros(N),
    )
    assert written(far, tmp_path).doubts() == {}
    # The difference is small beside the map, as of photos, and all of the score.
    photo = attribution(values() * 500, completeness_gap=np.zeros(N))
    assert written(photo, tmp_path).doubts() == {}


def test_several_targets_are_named_with_their_samples(tmp_path):
    both = np.stack([GOOD.scores, GOOD.scores + 1])
    known = {
        "scores": both,
        "baseline_scores": both - 5,
        "completeness_gap": np.zeros((2, N)),
        "error": np.full((2, N), 0.01),
        "converged": np.ones((2, N), bool),
        "evaluations": np.full((2, N), 50),
        "targets": np.array([[4] * N, [7] * N]),
    }
    known["converged"][1, 3] = False
    result = attribution(np.stack([values(), values()]), **known)
    page = written(result, tmp_path)
    assert "3 at class 7" in page.one(id="why-unfinished").text
    marked = [cell.text for cell in page.table()["distrust"]]
    assert [k for k in range(2 * N) if marked[k]] == [N + 3]
    heads = [head.text for head in page.card(3).all("h4")]
    assert heads == ["class 4", "class 7"]
