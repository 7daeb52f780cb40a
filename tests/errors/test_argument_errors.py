"""Arguments refused when the explainer is made, before any framework is needed."""

import numpy as np
import pytest
from labs import METHODS

import polyattr
from polyattr import (
    InputError,
    InputTypeError,
    IntegratedGradients,
    Saliency,
    SmoothGrad,
    SquareGrad,
    VarGrad,
)


def model(x):
    return x


def refused(kind, builtin, parts, method, **settings):
    with pytest.raises(kind) as caught:
        method(model, **settings)
    assert isinstance(caught.value, builtin)
    assert isinstance(caught.value, polyattr.PolyattrError)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("rule", "steps", "least"),
    [
        ("left", 0, "1"),
        ("right", 0, "1"),
        ("midpoint", 0, "1"),
        ("gauss-legendre", 0, "1"),
        ("trapezoid", 1, "2"),
        ("clenshaw-curtis", 1, "2"),
        ("simpson", 2, "3"),
        ("simpson", -3, "3"),
    ],
)
def test_steps_below_the_minimum_of_the_rule(rule, steps, least):
    parts = [f"steps is {steps}", f"at least {least}"]
    refused(InputError, ValueError, parts, IntegratedGradients, rule=rule, steps=steps)


def test_a_rule_names_itself_when_it_needs_more_points():
    parts = ["the simpson rule needs at least 3 points"]
    refused(InputError, ValueError, parts, IntegratedGradients, rule="simpson", steps=2)


@pytest.mark.parametrize("steps", [2.0, "50", None, True, np.float32(3)])
def test_steps_that_are_no_whole_number(steps):
    parts = [f"steps is {steps!r}", "expected an int"]
    refused(InputTypeError, TypeError, parts, IntegratedGradients, steps=steps)


@pytest.mark.parametrize("steps", [np.int64(4), np.uint8(4)])
def test_whole_numbers_of_numpy_are_welcome(steps):
    assert "steps=" in repr(IntegratedGradients(model, steps=steps))


def test_small_integer_types_do_not_overflow():
    # 200 + 200 wraps around in uint8.
    table = IntegratedGradients(model, steps=np.uint8(200), rule="simpson").recipe().table(1)
    assert len(table) == 200
    assert table.weight.sum() == pytest.approx(1, abs=1e-12)
    assert SmoothGrad(model, nb_samples=np.uint8(200)).recipe().table(1).draw[-1] == 99


def test_an_unknown_rule():
    parts = ["rule is 'simson'", "clenshaw-curtis", "Did you mean 'simpson'"]
    refused(InputError, ValueError, parts, IntegratedGradients, rule="simson")


@pytest.mark.parametrize("rule", [None, 3, ["trapezoid"]])
def test_something_that_names_no_rule(rule):
    with pytest.raises(polyattr.PolyattrError, match="rule is") as caught:
        IntegratedGradients(model, rule=rule)
    assert repr(rule) in str(caught.value)


@pytest.mark.parametrize("tolerance", [-0.1, float("nan"), float("inf")])
def test_a_tolerance_that_cannot_be_met(tolerance):
    parts = [f"tolerance is {tolerance}", "finite number of at least 0"]
    refused(InputError, ValueError, parts, IntegratedGradients, tolerance=tolerance)


@pytest.mark.parametrize(
    ("method", "count", "least"),
    [(SmoothGrad, 0, 1), (SquareGrad, -1, 1), (VarGrad, 0, 2), (VarGrad, 1, 2)],
)
def test_too_few_draws(method, count, least):
    parts = [f"nb_samples is {count}", f"at least {least}"]
    refused(InputError, ValueError, parts, method, nb_samples=count)


@pytest.mark.parametrize("method", [SmoothGrad, SquareGrad, VarGrad])
@pytest.mark.parametrize("noise", [-0.1, float("nan"), float("inf")])
def test_impossible_noise(method, noise):
    parts = [f"noise is {noise}", "finite number of at least 0"]
    refused(InputError, ValueError, parts, method, noise=noise)


@pytest.mark.parametrize(
    ("settings", "parts"),
    [
        ({"noise": "0.2"}, ["noise is '0.2'", "expected a number"]),
        ({"nb_samples": 10.0}, ["nb_samples is 10.0", "expected an int"]),
        ({"seed": 1.5}, ["seed is 1.5", "expected an int"]),
        ({"seed": None}, ["seed is None", "expected an int"]),
    ],
)
def test_noise_settings_of_the_wrong_type(settings, parts):
    refused(InputTypeError, TypeError, parts, SmoothGrad, **settings)


def test_an_unknown_source_of_noise():
    parts = ["noise_source is 'philox'", "'portable'", "'native'"]
    refused(InputError, ValueError, parts, SmoothGrad, noise_source="philox")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("size", "kind", "builtin", "part"),
    [
        (0, InputError, ValueError, "at least 1"),
        (-1, InputError, ValueError, "at least 1"),
        ("many", InputTypeError, TypeError, "'auto' or None"),
        (True, InputTypeError, TypeError, "'auto' or None"),
        (2.5, InputTypeError, TypeError, "'auto' or None"),
        ([8], InputTypeError, TypeError, "'auto' or None"),
    ],
)
def test_batch_size(method, size, kind, builtin, part):
    refused(kind, builtin, [f"batch_size is {size!r}", part], method, batch_size=size)


def test_a_batch_size_that_is_an_array():
    parts = ["batch_size is array", "'auto' or None"]
    refused(InputTypeError, TypeError, parts, Saliency, batch_size=np.ones(2))


def test_batch_size_may_be_a_whole_number_of_numpy():
    assert "batch_size=" in repr(Saliency(model, batch_size=np.int64(8)))


def test_an_operator_that_cannot_be_called():
    parts = ["operator is 'segmentation'", "callable"]
    refused(InputError, ValueError, parts, Saliency, operator="segmentation")


@pytest.mark.parametrize("method", METHODS)
def test_an_unknown_keyword(method):
    parts = [method.__name__, "'nr_steps'", "batch_size", "output_layer"]
    refused(InputTypeError, TypeError, parts, method, nr_steps=5)


def test_an_argument_of_another_method():
    refused(InputTypeError, TypeError, ["'steps'"], SmoothGrad, steps=5)
    refused(InputTypeError, TypeError, ["'nb_samples'"], IntegratedGradients, nb_samples=5)
    refused(InputTypeError, TypeError, ["'antithetic'"], VarGrad, antithetic=True)
