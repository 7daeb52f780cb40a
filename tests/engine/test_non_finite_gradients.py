"""Gradients that are NaN or infinite: named, never averaged in, and no other sample's matter."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs.closeness import assert_close
from labs.numpy_network import single

import polyattr
from polyattr.testing.reference import METHODS, arguments

RNG = np.random.default_rng(1121)
GOOD = single(RNG.uniform(1.0, 3.0, (7, 3)))
BAD = np.array([1, 5])
X = GOOD.copy()
X[BAD, 1] = -3.0
REST = np.setdiff1d(np.arange(7), BAD)
POINTS = {"Saliency": "at the input", "SmoothGrad": "at noisy copy 0"}


def roots(ops, x):
    """Its gradient is NaN where a feature is below -1, and only there."""
    return ops.sum(ops.sqrt(x + 1.0) * x)


def method_of(lab, name, **own):
    own = {**arguments(name, X), "on_nonfinite": "mark", **own}
    return getattr(polyattr, name)(lab.function(roots), backend=lab.name, **own)


def named(name=None, of=7, samples=BAD):
    where = POINTS.get(name, "at .*")
    first = f"{len(samples)} of {of} samples, whose attributions are NaN: sample {samples[0]}"
    return pytest.warns(polyattr.NonFiniteGradientWarning, match=f"{first} {where}")


@pytest.mark.parametrize("name", METHODS)
def test_the_others_are_what_they_are_without_them(lab, name):
    method = method_of(lab, name, batch_size=4)
    clean = method.attribute(lab.tensor(GOOD))
    with named(name) as told:
        found = method.attribute(lab.tensor(X))
    assert len([w for w in told if w.category is polyattr.NonFiniteGradientWarning]) == 1
    assert (lab.numpy(found.values)[REST] == lab.numpy(clean.values)[REST]).all()
    assert np.isnan(lab.numpy(found.values)[BAD]).all()
    for what in ("error", "completeness_gap", "bound"):
        array, wanted = getattr(found, what), getattr(clean, what)
        if wanted is not None:
            assert np.isnan(array[BAD]).all(), what
            assert_equal(array[REST], wanted[REST])
    assert not found.converged[BAD].any()
    assert (found.converged[REST] == clean.converged[REST]).all()
    assert (found.evaluations == clean.evaluations).all()
    assert_equal(found.scores[REST], clean.scores[REST])
    if clean.standard_error is not None:
        assert np.isnan(lab.numpy(found.standard_error)[BAD]).all()
        stated, wanted = (lab.numpy(r.standard_error)[REST] for r in (found, clean))
        assert_equal(stated, wanted)
    with named(name):
        assert_equal(lab.numpy(method.explain(lab.tensor(X))), lab.numpy(found.values))


def assert_equal(found, wanted):
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ["IntegratedGradients", "VarGrad"])
def test_left_out_they_change_nothing_either(lab, name):
    method = method_of(lab, name, batch_size=4)
    with named():
        found = lab.numpy(method.explain(lab.tensor(X)))
    assert_close(found[REST], lab.numpy(method.explain(lab.tensor(X[REST]))), 1e-6)


@pytest.mark.parametrize("name", ["IntegratedGradients", "SmoothGrad"])
def test_rounds_go_on_without_them(lab, name):
    auto = {"steps": "auto", "tolerance": 1e-3} if name == "IntegratedGradients" else {}
    if not auto:
        auto = {"nb_samples": "auto", "tolerance": 0.05}
    method = method_of(lab, name, batch_size=4, **auto)
    clean = method.attribute(lab.tensor(GOOD))
    with named():
        found = method.attribute(lab.tensor(X))
    assert_close(lab.numpy(found.values)[REST], lab.numpy(clean.values)[REST], 1e-5)
    assert np.isnan(lab.numpy(found.values)[BAD]).all()
    assert (found.evaluations[REST] == clean.evaluations[REST]).all()
    assert (found.evaluations[BAD] <= clean.evaluations.max()).all()


@pytest.mark.parametrize("name", ["Saliency", "SmoothGrad"])
def test_unless_told_they_are_an_error(lab, name):
    method = method_of(lab, name, on_nonfinite="raise")
    said = rf"sample 1 {POINTS.get(name, 'at ')}.*2 of 7 .*: 1, 5\).*on_nonfinite='mark'"
    with pytest.raises(polyattr.NonFiniteGradientError, match=said):
        method.explain(lab.tensor(X))


def test_the_first_samples_and_all(lab):
    for bad in ([0, 1], list(range(7))):
        method = method_of(lab, "IntegratedGradients")  # which sees them in its first call
        x = GOOD.copy()
        x[bad, 0] = -2.0
        with named(samples=bad):
            found = method.attribute(lab.tensor(x))
        marked = np.isin(np.arange(7), bad)
        assert (np.isnan(lab.numpy(found.values)).all(axis=1) == marked).all()
        assert (np.isnan(found.error) == marked).all()
        worst = "each map: not known" if marked.all() else r"largest error \d.*not known for 2"
        assert re.search(worst, repr(found))


def test_one_warning_for_a_dataset_that_counts_its_samples(lab):
    batches = [lab.tensor(X[:2]), lab.tensor(X[2:4]), lab.tensor(X[4:])]
    method = method_of(lab, "IntegratedGradients")
    for call in (method.explain, lambda data: list(method.explain_batches(data))):
        with named() as told:
            found = call(iter(batches))
        assert len(told) == 1
        assert "sample 5 at" in str(told[0].message)
    parts = np.concatenate([lab.numpy(part) for part in found])
    assert (np.isnan(parts).any(axis=1) == np.isin(np.arange(7), BAD)).all()


def test_a_tolerance_is_about_the_others(lab):
    method = method_of(lab, "IntegratedGradients", tolerance=1e-7)
    with (
        named(),
        pytest.warns(polyattr.ConvergenceWarning, match="^5 of 7 samples .*sample [02346]"),
    ):
        method.explain(lab.tensor(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error", polyattr.ConvergenceWarning)
        with named():
            method_of(lab, "IntegratedGradients", tolerance=9.0).attribute(lab.tensor(X))


def pair(ops, left, right):
    return ops.sum(ops.sqrt(left + 1.0) * right)


def test_all_inputs_of_a_sample_are_marked(lab):
    method = polyattr.GradientInput(lab.function(pair), backend=lab.name, on_nonfinite="mark")
    with named():
        left, right = method.explain((lab.tensor(X), lab.tensor(GOOD)))
    for values in (left, right):
        assert (np.isnan(lab.numpy(values)).all(axis=1) == np.isin(np.arange(7), BAD)).all()


def test_a_method_inside_another(lab):
    inner = method_of(lab, "IntegratedGradients")
    with named(name="SmoothGrad"):
        found = polyattr.SmoothGrad(of=inner, nb_samples=4, noise=0.1).attribute(lab.tensor(X))
    clean = polyattr.SmoothGrad(of=inner, nb_samples=4, noise=0.1).explain(lab.tensor(GOOD))
    assert_equal(lab.numpy(found.values)[REST], lab.numpy(clean)[REST])
    assert np.isnan(lab.numpy(found.values)[BAD]).all()
    with pytest.raises(polyattr.InputError, match="on_nonfinite is given beside of"):
        polyattr.SmoothGrad(of=inner, on_nonfinite="mark")


def test_targets_that_are_not_finite(lab):
    def weighted(model, inputs, targets):
        return lab.ops.sum(model(inputs) * targets)

    weights = np.ones((7, 3))
    weights[3, 0] = np.inf
    method = polyattr.GradientInput(
        lab.function(lambda ops, x: x * x),
        backend=lab.name,
        operator=weighted,
        on_nonfinite="mark",
    )
    with pytest.warns(polyattr.NonFiniteGradientWarning, match="sample 3 .*targets are NaN"):
        found = lab.numpy(method.explain(lab.tensor(GOOD), lab.tensor(weights)))
    assert (np.isnan(found).all(axis=1) == (np.arange(7) == 3)).all()


def test_several_targets(lab):
    def outputs(ops, x):
        return ops.concat([x * x, ops.sqrt(x + 1.0) * x])

    method = polyattr.GradientInput(lab.function(outputs), backend=lab.name, on_nonfinite="mark")
    with named():
        found = lab.numpy(method.explain(lab.tensor(X), polyattr.each([1, 4])))
    assert (np.isnan(found[1]).all(axis=1) == np.isin(np.arange(7), BAD)).all()
    assert np.isfinite(found[:, REST]).all()


def test_what_else_it_may_not_be(lab):
    with pytest.raises(polyattr.InputError, match="on_nonfinite is 'skip'; expected 'raise'"):
        method_of(lab, "Saliency", on_nonfinite="skip")
    assert "on_nonfinite='mark'" in repr(method_of(lab, "Saliency"))


@pytest.fixture(scope="module")
def of_sizes(lab):
    """A method for each number of rows per call, whose kernels all examples share."""
    return {
        size: method_of(lab, "IntegratedGradients", batch_size=size, steps=6)
        for size in (1, 3, None)
    }


@settings(deadline=None, max_examples=40, derandomize=True, database=None)
@given(bad=st.sets(st.integers(0, 4)), size=st.sampled_from([1, 3, None]), split=st.booleans())
def test_whichever_they_are(lab, of_sizes, bad, size, split):
    x = GOOD[:5].copy()
    x[sorted(bad), 2] = -1.5
    method = of_sizes[size]
    given_ = iter([lab.tensor(x[:2]), lab.tensor(x[2:])]) if split else lab.tensor(x)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", polyattr.NonFiniteGradientWarning)
        found = lab.numpy(method.explain(given_))
    said = [str(w.message) for w in told if w.category is polyattr.NonFiniteGradientWarning]
    assert len(said) == bool(bad)
    assert all(f"sample {sample} at" in said[0] for sample in bad)
    marked = np.isin(np.arange(5), sorted(bad))
    assert (np.isnan(found).any(axis=1) == marked).all()
    assert (np.isnan(found).all(axis=1) == marked).all()
    wanted = lab.numpy(method.explain(lab.tensor(GOOD[:5])))
    if not marked.all():
        assert_close(found[~marked], wanted[~marked], 1e-5)
