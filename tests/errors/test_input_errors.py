"""Inputs and baselines that cannot be explained; each message names what was given."""

import numpy as np
import pytest
from labs import EVERY_METHOD, named

import polyattr
from polyattr import InputError, InputTypeError

X = np.random.default_rng(131).standard_normal((5, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def method(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    return polyattr.IntegratedGradients(model, backend=lab.name, steps=2)


@pytest.fixture(scope="module")
def of_two(lab):
    model = lab.function(lambda ops, left, right: ops.sum(left * right))
    return polyattr.IntegratedGradients(model, backend=lab.name, steps=2)


def refused(kind, call, *parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, polyattr.PolyattrError)
    assert isinstance(caught.value, TypeError if kind is InputTypeError else ValueError)
    for part in parts:
        assert part in str(caught.value)


def both(lab, array):
    """The same array, from NumPy and of the framework."""
    return array, lab.tensor(array)


def test_an_empty_batch(lab, method):
    for x in both(lab, X[:0]):
        refused(InputError, lambda x=x: method.explain(x), "empty", "(0, 3)", "at least one")


@pytest.mark.parametrize(("value", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")])
def test_numbers_that_are_not_finite(lab, method, value, shown):
    bad = X.copy()
    bad[3, 1] = value
    for x in both(lab, bad):
        refused(
            InputError,
            lambda x=x: method.explain(x),
            f"inputs contains {shown} at index (3, 1)",
            "expected finite",
        )


def test_which_of_several_inputs_is_not_finite(lab, of_two):
    bad = X.copy()
    bad[0, 2] = np.nan
    inputs = {"left": X, "right": bad}
    refused(InputError, lambda: of_two.explain(inputs), "inputs['right']", "(0, 2)")
    refused(InputError, lambda: of_two.explain((X, bad)), "inputs[1]", "(0, 2)")


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_numbers_without_a_gradient(lab, method, dtype):
    for x in both(lab, np.ones((2, 3), dtype)):
        refused(
            InputTypeError,
            lambda x=x: method.explain(x),
            f"inputs has dtype {dtype}",
            "floating",
            "embedding",
        )


def test_complex_numbers(lab, method):
    refused(InputTypeError, lambda: method.explain(np.ones((2, 3), "complex64")), "complex64")


def test_a_scalar(lab, method):
    for x in (np.array(1.5, np.float32), lab.tensor(np.array(1.5, np.float32))):
        refused(InputError, lambda x=x: method.explain(x), "inputs is a scalar", "first axis")


@pytest.mark.parametrize("x", [1.5, "image.png", None, [[1.0, 2.0], [3.0, 4.0]], object()])
def test_things_that_are_no_array(lab, method, x):
    refused(
        InputTypeError, lambda: method.explain(x), "inputs", f"{lab.name} tensor", "NumPy array"
    )


@pytest.mark.parametrize("x", [(), [], {}])
def test_containers_without_arrays(lab, method, x):
    refused(InputError, lambda: method.explain(x), "inputs is an empty", "at least one")


def test_several_inputs_of_different_length(lab, of_two):
    inputs = {"left": X, "right": X[:4]}
    parts = ("different numbers of samples", "inputs['left']': 5", "inputs['right']': 4")
    refused(InputError, lambda: of_two.explain(inputs), parts[0], "left", "5", "right", "4")


def test_a_baseline_of_a_wrong_shape(lab, method):
    for given in (*both(lab, X[:, :2]), X[:2], X[0][:, None]):
        refused(
            InputError,
            lambda given=given: method.explain(X, baselines=given),
            f"baselines has shape {tuple(given.shape)}",
            "scalar",
            "(3,)",
            "(5, 3)",
        )


def test_a_baseline_value_of_a_wrong_shape_is_named_so(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = polyattr.IntegratedGradients(
        model, backend=lab.name, baseline_value=np.zeros(2, np.float32)
    )
    refused(InputError, lambda: method.explain(X), "baseline_value has shape (2,)", "(3,)")
    late = polyattr.IntegratedGradients(model, backend=lab.name, baseline_value=lambda x: x[:, :2])
    refused(InputError, lambda: late.explain(X), "baseline_value has shape (5, 2)", "(5, 3)")


def test_a_baseline_that_is_not_finite(lab, method):
    refused(
        InputError,
        lambda: method.explain(X, baselines=np.array([0.0, np.nan, 0.0])),
        "baselines contains nan",
        "finite",
    )
    refused(InputError, lambda: method.explain(X, baselines=float("inf")), "baselines contains inf")


def test_a_baseline_that_is_no_number(lab, method):
    refused(InputTypeError, lambda: method.explain(X, baselines="zero"), "baselines is 'zero'")


def test_baselines_in_other_containers(lab, of_two):
    inputs = {"left": X, "right": X}
    refused(
        InputError,
        lambda: of_two.explain(inputs, baselines={"left": 0.0}),
        "baselines is dict('left': array)",
        "expected dict('left': array, 'right': array)",
    )
    refused(
        InputError,
        lambda: of_two.explain((X, X), baselines=(X, X[:, :2])),
        "baselines[1] has shape (5, 2)",
    )


@pytest.mark.parametrize(
    "name", named(kind for kind in EVERY_METHOD if not hasattr(kind, "baseline_value"))
)
def test_a_baseline_for_a_method_without_one(lab, name):
    model, kind = lab.function(lambda ops, x: ops.sum(x * x)), getattr(polyattr, name)
    own = {"background": X} if hasattr(kind, "background") else {}
    method = kind(model, backend=lab.name, **own)
    for call in (method.explain, method.attribute, method):
        refused(
            InputError,
            lambda call=call: call(X, baselines=0.0),
            f"baselines is given, but {name} has no baseline",
        )


def test_a_dataset_without_batches(lab, method):
    for call in (method.explain, method.attribute):
        refused(InputError, lambda call=call: call(iter([])), "no batches", "at least one")
    fresh = polyattr.Saliency(lambda x: x)
    refused(InputError, lambda: fresh.explain(iter([])), "no batches")


def test_an_array_of_targets_for_a_dataset(lab, method):
    for targets in (np.array([0, 1]), [0, 1]):
        refused(
            InputError,
            lambda targets=targets: method.explain(iter([X]), targets),
            "targets is an array, but the inputs are a dataset",
            "(inputs, targets)",
        )


def test_a_batch_of_too_many_parts(lab, method):
    refused(InputError, lambda: method.explain(iter([(X, X, X)])), "3 parts", "(inputs, targets)")
