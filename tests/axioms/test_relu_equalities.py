"""Where methods must coincide: on ReLU networks without biases, and without noise."""

import numpy as np
import pytest
from drawn_networks import METHODS, RELU_SHAPES, assert_same, cases, examples, few
from hypothesis import given
from hypothesis import strategies as st
from relu_rules import deeplift_rescale, epsilon_lrp

RULES = ("trapezoid", "gauss-legendre", "left")


@examples(30)
@given(data=st.data())
def test_gradient_input_is_lrp_and_deeplift(lab, bench, data):
    case = data.draw(cases(lab, RELU_SHAPES, biased=False))
    found = bench.values(case, "GradientInput")
    size = case.size("GradientInput")
    lrp = epsilon_lrp(case.layers, case.x, case.goal, 1e-300)
    assert_same(found, lrp, size, 1e-11)
    assert_same(found, deeplift_rescale(case.layers, case.x, 0 * case.x, case.goal), size, 1e-11)


@pytest.mark.parametrize("rule", RULES)
@examples(12)
@given(data=st.data())
def test_gradient_input_is_the_path_from_zero(lab, bench, rule, data):
    # The gradient is the same all along a ray from the origin, so any rule has it exactly, also
    # one that visits the origin, where it is taken from inside.
    case = data.draw(cases(lab, RELU_SHAPES, biased=False))
    case = case.but(baselines=0 * case.x)
    result = bench.attribute(case, "IntegratedGradients", rule=rule)
    size = case.size("IntegratedGradients")
    assert_same(result.values, bench.values(case, "GradientInput"), size)
    assert_same(result.values.sum(axis=1), case.scores(), size[:, 0] * case.shape.features)


@pytest.mark.parametrize("antithetic", [True, False])
@examples(12)
@given(data=st.data())
def test_without_noise_smoothgrad_is_the_gradient(lab, bench, antithetic, data):
    case = data.draw(cases(lab))
    smooth = bench.values(case, "SmoothGrad", noise=0.0, antithetic=antithetic)
    gradient = bench.values(case, "Saliency")
    assert_same(np.abs(smooth), gradient, case.size("Saliency"))
    assert_same(case.x * smooth, bench.values(case, "GradientInput"), case.size("GradientInput"))


@examples(12)
@given(data=st.data())
def test_without_noise_there_are_squares_and_no_variance(lab, bench, data):
    case = data.draw(cases(lab, few(lab)))
    gradient = bench.values(case, "Saliency")
    assert_same(bench.values(case, "SquareGrad", noise=0.0), gradient**2, case.size("SquareGrad"))
    # Not exactly 0: a matrix product may round equal rows differently, by their place in a tile.
    assert_same(bench.values(case, "VarGrad", noise=0.0), 0 * gradient, case.size("VarGrad"), 1e-28)


@examples(12)
@given(data=st.data())
def test_mean_square_is_variance_and_squared_mean(lab, bench, data):
    case = data.draw(cases(lab))
    draws = 6
    plain = bench.values(case, "SmoothGrad", antithetic=False)
    square, variance = (bench.values(case, name) for name in ("SquareGrad", "VarGrad"))
    expected = square - plain**2
    assert_same(variance * (draws - 1) / draws, expected, case.size("SquareGrad"))


@pytest.mark.parametrize("method", METHODS)
@examples(6)
@given(data=st.data())
def test_a_network_without_weights_gets_nothing(lab, bench, method, data):
    case = data.draw(cases(lab))
    silent = tuple((0 * weight, bias) for weight, bias in case.layers)
    assert (bench.values(case.but(layers=silent), method) == 0).all()
