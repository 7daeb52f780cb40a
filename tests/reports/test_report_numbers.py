"""What a report says is what the result holds: numbers, names, settings, versions."""

import numpy as np
import pytest
from report_page import attribution, number, written

import polyattr
from polyattr import Names

RNG = np.random.default_rng(0)


def result_of(n=7, **changes):
    values = RNG.normal(size=(n, 4))
    known = {
        "scores": RNG.normal(size=n) * 10,
        "baseline_scores": RNG.normal(size=n),
        "completeness_gap": RNG.normal(size=n),
        "error": RNG.random(n),
        "evaluations": RNG.integers(1, 5000, n),
        "standard_error": RNG.random((n, 4)),
    }
    return attribution(values, **known | changes)


def test_the_table_has_every_number_of_every_sample(tmp_path):
    result = result_of()
    table = written(result, tmp_path).table()
    assert list(table)[:3] == ["sample", "class", "score"]
    for heading, array in {
        "score": result.scores,
        "baseline": result.baseline_scores,
        "gap": np.abs(result.completeness_gap),
        "error": result.error,
        "evaluations": result.evaluations,
    }.items():
        np.testing.assert_allclose([number(cell) for cell in table[heading]], array, rtol=1e-6)
    for heading, array in {
        "score": result.scores,
        "gap": result.completeness_gap,
    }.items():
        shown = [float(cell.text) for cell in table[heading]]
        np.testing.assert_allclose(shown, array, rtol=1e-3)
    shown = [float(cell.text.removesuffix("%")) / 100 for cell in table["error"]]
    np.testing.assert_allclose(shown, result.error, rtol=6e-3)
    assert [cell.text for cell in table["class"]] == [f"class {k % 3}" for k in range(7)]
    assert [cell.text for cell in table["sample"]] == list("0123456")


def test_the_first_lines_sum_it_up(tmp_path):
    error = np.array([0.02, 0.5, 0.04, np.nan, 0.01, 0.03, 0.02])
    result = result_of(error=error, converged=error < 0.1)
    head = written(result, tmp_path).one("header")
    said = {
        name.text: value.text for name, value in zip(head.all("dt"), head.all("dd"), strict=True)
    }
    assert said["Samples"] == "7"
    assert said["Error"] == "median 2.5%, largest 50% (sample 1)"
    assert said["Converged"] == "5 of 7 maps"
    assert said["Explained"] == "class 0 (3), class 1 (2), class 2 (2)"
    assert said["Evaluations"] == f"{result.evaluations.sum():,} of the gradient in all"


def test_a_card_has_the_numbers_of_its_sample(tmp_path):
    result = result_of(names=Names(rows=[f"row {k}" for k in range(7)], classes=["a", "b", "c"]))
    page = written(result, tmp_path)
    for k in range(7):
        card = page.card(k)
        assert card.one("h3").text == f"Sample {k}: row {k} {'abc'[k % 3]}"
        numbers = dict(
            zip(
                [name.text for name in card.all("dt")],
                [cell.text for cell in card.all("dd")],
                strict=True,
            )
        )
        assert numbers["score"] == f"{result.scores[k]:.4g}"
        assert numbers["gap"] == f"{result.completeness_gap[k]:+.4g}"
        assert float(numbers["error"][:-1]) == pytest.approx(100 * result.error[k], rel=6e-3)
        errors = result.standard_error[k]
        assert f"median {np.median(errors):.4g}, largest {errors.max():.4g}" in card.text
        size = result.values[k]
        assert f"sum to {size.sum():+.4g}: {size[size > 0].sum():+.4g} for" in card.text


def test_what_is_not_known_is_said_and_sorted_last(tmp_path):
    error = np.full(7, np.nan)
    result = result_of(error=error, converged=np.zeros(7, bool), completeness_gap=None)
    page = written(result, tmp_path)
    table = page.table()
    assert "gap" not in table
    assert {cell.text for cell in table["error"]} == {"not known"}
    assert {cell.attrs["data-v"] for cell in table["error"]} == {""}


def test_classes_settings_and_targets_of_each_sample(tmp_path):
    methods = ("IntegratedGradients(steps=5)", "IntegratedGradients(steps=40, rule='left')")
    result = result_of(methods=methods, settings=np.array([0, 1, 0, 0, 1, 0, 0]))
    page = written(result, tmp_path)
    assert [cell.text for cell in page.table()["settings"]] == list("1211211")
    settings = page.one("section", id="settings")
    heads = [head.text for head in settings.all("h3")]
    assert heads[:2] == ["1. IntegratedGradients 5 maps", "2. IntegratedGradients 2 maps"]
    rows = [(row.one("th").text, row.one("td").text) for row in settings.all("tr")]
    assert rows[:3] == [("steps", "5"), ("steps", "40"), ("rule", "'left'")]


def test_settings_with_brackets_quotes_and_arrays(tmp_path):
    array = "tensor([[" + ", ".join(["0.125"] * 80) + "]])"
    text = f"SmoothGrad(of=IntegratedGradients(steps=5, rule='a, (b'), x={array}, seed=3)"
    page = written(result_of(method=text, seed=3), tmp_path)
    rows = {row.one("th").text: row.one("td").text for row in page.one(id="settings").all("tr")}
    assert rows["of"] == "IntegratedGradients(steps=5, rule='a, (b')"
    assert rows["seed"] == "3"
    assert rows["Seed"] == "3"
    assert rows["x"].startswith("tensor([[0.125")
    assert len(rows["x"]) < 160


def test_a_method_whose_repr_is_none_is_shown_whole(tmp_path):
    page = written(result_of(method="my own <method>"), tmp_path)
    assert page.one(id="settings").all("h3")[0].text == "my own <method>"


def test_versions_are_those_of_this_process_where_the_result_is(lab, tmp_path):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=6)
    result = method.attribute(lab.tensor(RNG.normal(size=(2, 3))), keep_inputs=True)
    page = written(result, tmp_path)
    said = {row.one("th").text: row.one("td").text for row in page.one(id="settings").all("tr")}
    assert said["Framework"] == f"{lab.name} {polyattr.backends()[lab.name].version}"
    assert said["Report written by"] == f"polyattr {polyattr.__version__}"
    assert said["steps"] == "6"
    result.save(tmp_path / "kept.npz")
    loaded = written(polyattr.load(tmp_path / "kept.npz"), tmp_path)
    assert "a file does not say" in loaded.one(id="settings").text
    assert [c.text for c in loaded.table()["score"]] == [c.text for c in page.table()["score"]]


def test_title_date_and_samples(tmp_path):
    page = written(result_of(), tmp_path, title="Mine", date="1 May", samples=[4, -1, 4])
    assert page.one("h1").text == page.one("title").text == "Mine"
    assert "1 May" in page.one("header").text
    assert [card.attrs["id"] for card in page.all("article")] == ["s4", "s6"]
    assert "the 2 samples that were asked for" in page.one(id="pictures").text
    assert len(page.table()["sample"]) == 7
    default = written(result_of(), tmp_path)
    assert default.one("h1").text == "7 samples explained by IntegratedGradients"


def test_of_many_samples_those_that_tell_most_are_drawn_and_all_stand_in_the_table(tmp_path):
    n = 1000
    error = RNG.permutation(n) / 2000
    result = attribution(RNG.normal(size=(n, 3)), error=error)
    page = written(result, tmp_path)
    drawn = [int(card.attrs["id"][1:]) for card in page.all("article")]
    order = np.argsort(-error)
    assert drawn == sorted([*order[:150], *order[-50:]])
    assert "the 150 with the largest and the 50 with the smallest error" in page.source
    assert len(page.table()["sample"]) == n
    links = [cell.all("a") for cell in page.table()["sample"]]
    assert [k for k in range(n) if links[k]] == drawn
    alike = written(attribution(np.ones((300, 3)), error=np.full(300, 0.02)), tmp_path)
    assert "the first 200, since all have the same error" in alike.source
