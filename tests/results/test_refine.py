"""Refined samples are those of a new call with the settings they were refined to."""

import ast
import re
from dataclasses import replace

import numpy as np
import pytest
from results import same

import polyattr

# The second and the third are far from converged with a few points; the rest is nearly linear.
X = np.array([[0.1, 0.2], [2.5, -1.0], [-2.0, 3.0], [0.0, 0.1]])
TIGHT = 2e-3


def powers(ops, x):
    return x * x * x * x * x + x


def method_of(lab, body=None, kind=polyattr.IntegratedGradients, **settings):
    return kind(lab.function(body or powers), backend=lab.name, **settings)


def again(method, settings):
    """The method with the settings a result says a sample has."""
    given = dict(
        re.findall(r"\b(steps|nb_samples|tolerance|max_steps|max_samples)=([^,)]+)", settings)
    )
    given = {name: ast.literal_eval(value) for name, value in given.items()}
    return type(method)(method.model, **{"backend": method.backend, **kept(method), **given})


def kept(method):
    names = ("rule", "seed", "noise", "shared_draws", "background", "baseline_value")
    return {name: getattr(method, name) for name in names if hasattr(method, name)}


def kinked(ops, x):
    return ops.relu(x - 0.33) + ops.relu(x - 1.21) * 5 + ops.relu(-x - 0.45) * 2 + x


CASES = {
    "steps": (polyattr.IntegratedGradients, {"steps": 5}),
    "simpson": (polyattr.IntegratedGradients, {"steps": 5, "rule": "simpson"}),
    "left": (polyattr.IntegratedGradients, {"steps": 6, "rule": "left"}),
    "auto": (polyattr.IntegratedGradients, {"steps": "auto", "tolerance": 0.3, "max_steps": 9}),
    "draws": (polyattr.SmoothGrad, {"nb_samples": 4, "noise": 0.5, "seed": 3}),
    "own draws": (polyattr.SmoothGrad, {"nb_samples": 4, "noise": 0.5, "shared_draws": False}),
    "squares": (polyattr.SquareGrad, {"nb_samples": 6, "noise": 0.3}),
    "background": (polyattr.ExpectedGradients, {"background": X * 0.1 + 1, "nb_samples": 4}),
}


@pytest.mark.parametrize("case", CASES)
def test_refining_is_a_new_call_for_those_that_need_one(lab, case):
    kind, settings = CASES[case]
    body = kinked if case == "auto" else powers  # which few points are enough for
    method = method_of(lab, body, kind, **settings)
    x = lab.tensor(X)
    result = method.attribute(x, [0, 1, 1, 0])
    limit = float(np.sort(result.error)[-2] * 0.9)
    refined = method.refine(result, x, tolerance=limit)
    due = ~(result.error <= limit)
    assert 0 < due.sum() < len(X), "a case that refines all, or none, shows little"
    assert (refined.converged == (refined.error <= limit)).all()
    assert refined.converged.all()
    assert [refined.methods[i] == repr(method) for i in refined.settings] == (~due).tolist()
    same(refined[~due].sort("scores"), whole_with(result[~due], refined[~due]).sort("scores"))
    for i in np.flatnonzero(due):
        fresh = again(method, refined.methods[refined.settings[i]])
        ids = {"sample_ids": [int(i)]} if method.has_own_draws else {}
        expected = fresh.attribute(x[int(i) : int(i) + 1], [[0, 1, 1, 0][i]], **ids)
        close(refined[int(i)], expected)


def whole_with(result, other):
    """A result with the verdicts of another, for a tolerance that is not its own."""
    return replace(result, converged=other.converged)


def close(found, expected):
    """Two results of the same question: rounding differs between numbers of samples."""
    for name in ("values", "standard_error"):
        left, right = (np.asarray(getattr(r.to_numpy(), name)) for r in (found, expected))
        np.testing.assert_allclose(left, right, rtol=2e-5, atol=2e-5 * np.abs(right).max())
    for name in ("scores", "error", "baseline_scores"):
        left, right = getattr(found, name), getattr(expected, name)
        assert (left is None) == (right is None)
        if left is not None:
            np.testing.assert_allclose(left, right, rtol=1e-3, atol=1e-6)
    for name in ("converged", "evaluations", "targets"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    assert found.method == expected.method


def test_predicted_classes_are_those_that_were(lab):
    method = method_of(lab, steps=5)
    result = method.attribute(lab.tensor(X), keep_inputs=True)
    refined = method.refine(result, tolerance=TIGHT)
    assert np.array_equal(refined.targets, result.targets)
    same(refined, method.refine(result, lab.tensor(X), result.targets, tolerance=TIGHT))
    assert np.array_equal(lab.numpy(refined.inputs), X.astype(np.float32))


def test_what_had_converged_is_not_computed_again(lab):
    model, counter = lab.counting(lambda ops, x: ops.sum(x * x * x))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=9)
    x = lab.tensor(X)
    result = method.attribute(x)
    counter.reset()
    same(method.refine(result, x, tolerance=10.0), result)
    assert counter.calls == 0


def test_several_targets(lab):
    method = method_of(lab, steps=5)
    x = lab.tensor(X)
    result = method.attribute(x, polyattr.each([0, 1]))
    limit = float(np.median(result.error.max(axis=0)))
    refined = method.refine(result, x, tolerance=limit)
    due = (result.error > limit).any(axis=0)
    assert 0 < due.sum() < len(X)
    assert refined.values.shape == (2, 4, 2)
    assert refined.converged.all()
    assert (refined.settings[:, due] > refined.settings[:, ~due].max()).all()
    for i in np.flatnonzero(due):
        fresh = again(method, refined.methods[refined.settings[0, i]])
        close(refined[int(i)].target(1), fresh.attribute(x[int(i) : int(i) + 1], 1))


def test_weights_and_callables(lab):
    method = method_of(lab, steps=5)
    x, weights = lab.tensor(X), np.random.default_rng(0).standard_normal((4, 2)).astype(np.float32)
    result = method.attribute(x, weights)
    refined = method.refine(result, x, tolerance=TIGHT)
    same(refined, method.refine(result, x, weights, tolerance=TIGHT))
    assert np.array_equal(refined.targets, weights)

    def first(outputs):
        return outputs[:, 0]

    asked = method.attribute(x, first)
    with pytest.raises(polyattr.InputError, match=r"targets were first, a callable.*again"):
        method.refine(asked, x, tolerance=TIGHT)
    refined = method.refine(asked, x, first, tolerance=TIGHT)
    by_number = method.refine(method.attribute(x, 0), x, tolerance=TIGHT)
    np.testing.assert_allclose(
        lab.numpy(refined.values), lab.numpy(by_number.values), rtol=1e-5, atol=1e-5
    )


def test_baselines_and_further_arguments_belong_to_their_samples(lab):
    def scaled(ops, x, scale):
        return ops.sum(x * x * x * scale)

    method = method_of(lab, scaled, steps=5)
    rng = np.random.default_rng(5)
    given = {
        "baselines": rng.standard_normal((4, 2)).astype(np.float32),
        "forward_args": (lab.tensor(rng.random((4, 2))),),
        "batched": (0,),
    }
    x = lab.tensor(X)
    result = method.attribute(x, **given)
    limit = float(np.median(result.error))
    refined = method.refine(result, x, tolerance=limit, **given)
    due = np.flatnonzero(result.error > limit)
    assert 0 < len(due) < 4
    for i in map(int, due):
        fresh = again(method, refined.methods[refined.settings[i]])
        alone = {
            "baselines": given["baselines"][i : i + 1],
            "forward_args": (given["forward_args"][0][i : i + 1],),
            "batched": (0,),
        }
        close(refined[i], fresh.attribute(x[i : i + 1], **alone))
    with pytest.raises(
        polyattr.InputError, match=r"forward_args\[0\] has shape \(4, 2\).*batched="
    ):
        method.refine(result, x, tolerance=limit, **given | {"batched": None})


def test_a_result_from_a_file_is_refined_too(lab, tmp_path):
    method = method_of(lab, steps=5)
    result = method.attribute(lab.tensor(X), 1, keep_inputs=True)
    result.save(tmp_path / "a.safetensors")
    loaded = method.refine(polyattr.load(tmp_path / "a.safetensors"), tolerance=TIGHT)
    assert isinstance(loaded.values, np.ndarray)
    here = method.refine(result, tolerance=TIGHT)
    np.testing.assert_allclose(loaded.values, lab.numpy(here.values), rtol=1e-6)
    loaded.save(tmp_path / "b.npz")
    same(polyattr.load(tmp_path / "b.npz"), loaded)
    assert loaded.methods == here.methods


def test_the_worst_alone_are_refined(lab):
    method = method_of(lab, steps=5)
    result = method.attribute(lab.tensor(X), 1, keep_inputs=True)
    worst = result.worst(2)
    refined = method.refine(worst, tolerance=TIGHT)
    assert len(refined) == 2
    assert refined.converged.all()
    assert np.array_equal(refined.scores, worst.scores)


def test_refining_twice_lists_each_setting_once(lab):
    method = method_of(lab, steps=5)
    result = method.attribute(lab.tensor(X), 1, keep_inputs=True)
    levels = sorted(result.error)
    once = method.refine(result, tolerance=levels[1] * 1.001)
    twice = method.refine(once, tolerance=levels[0] * 0.9)
    assert len(set(twice.methods)) == len(twice.methods)
    assert set(twice.settings.tolist()) == set(range(len(twice.methods)))
    assert "setting" in repr(once)


def test_one_draw_tells_no_error_and_two_do(lab):
    method = method_of(lab, kind=polyattr.SmoothGrad, nb_samples=1, noise=0.5, antithetic=False)
    result = method.attribute(lab.tensor(X), 1, keep_inputs=True)
    assert np.isnan(result.error).all()
    refined = method.refine(result, tolerance=0.5)
    assert np.isfinite(refined.error).all()
    assert refined.standard_error is not None


def test_what_cannot_converge_is_told_of_once(lab):
    method = method_of(lab, kind=polyattr.SmoothGrad, nb_samples=2, noise=2.0)
    result = method.attribute(lab.tensor(X), 1, keep_inputs=True)
    with pytest.warns(polyattr.ConvergenceWarning, match=r"tolerance=1e-06") as told:
        refined = method.refine(result, tolerance=1e-6)
    assert len([w for w in told if w.category is polyattr.ConvergenceWarning]) == 1
    assert told[0].filename == __file__
    assert "nb_samples=128" in refined.method
    assert not refined.converged.any()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda m, r, x: m.refine(3, x), "result is 3; expected what method.attribute"),
        (lambda m, r, x: m.refine(r), "inputs are not given, and the result keeps none"),
        (lambda m, r, x: m.refine(r, x[:3], tolerance=TIGHT), "have 3 samples, the result has 4"),
        (lambda m, r, x: m.refine(r, x * 2, tolerance=TIGHT), r"f\(x\) of a sample is"),
        (lambda m, r, x: m.refine(r, x, 0, tolerance=TIGHT), r"f\(x\) of a sample is"),
        (lambda m, r, x: m.refine(r, x, baselines=1.0, tolerance=TIGHT), r"f\(b\) of a sample is"),
        (lambda m, r, x: m.refine(r, [(x, 0)], tolerance=TIGHT), "inputs is a dataset"),
        (lambda m, r, x: m.refine(r, x, tolerance=0), "tolerance is 0; expected a number above 0"),
        (lambda m, r, x: m.refine(r, x, tolerance="a"), "tolerance is 'a'"),
        (lambda m, r, x: m.refine(r, x, steps=9), "'steps' goes elsewhere"),
    ],
)
def test_wrong_calls(lab, call, said):
    method = method_of(lab, steps=5)
    x = lab.tensor(X)
    result = method.attribute(x, 1)
    with pytest.raises(polyattr.PolyattrError, match=said):
        call(method, result, x)


def test_results_of_other_methods(lab):
    x = lab.tensor(X)
    exact = method_of(lab, kind=polyattr.GradientInput)
    with pytest.raises(polyattr.InputError, match="GradientInput takes no steps and no draws"):
        exact.refine(exact.attribute(x, 1), x)
    left = method_of(lab, steps=5, rule="left").attribute(x, 1)
    with pytest.raises(polyattr.InputError, match=r"rule='left'.*expected one of .*trapezoid"):
        method_of(lab, steps=5).refine(left, x)
    other = replace(left.to_numpy(), backend="elsewhere")
    method = method_of(lab, steps=5, rule="left")
    with pytest.raises(polyattr.InputError, match="result was made on elsewhere"):
        method.refine(other, x, tolerance=TIGHT)
