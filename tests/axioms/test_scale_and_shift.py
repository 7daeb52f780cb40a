"""How attributions follow the units of the score and of the inputs, and sums of models."""

import numpy as np
import pytest
from drawn_networks import (
    CHOOSING,
    FACTORS,
    METHODS,
    MIXING,
    NOISY,
    SCORED,
    SIGNED,
    SQUARED,
    assert_same,
    cases,
    draw_layers,
    examples,
    few,
    forward,
)
from hypothesis import given
from hypothesis import strategies as st

# The axioms hold with few points, too, whose maps are off, as `explain` says.
pytestmark = pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")

SCALES = (0.25, 2.0, 3.0)


def with_ends(case, first=None, last=None):
    """The case with its first layer, then its last one, changed by functions of both arrays."""
    layers = list(case.layers)
    if first is not None:
        layers[0] = first(*layers[0])
    if last is not None:
        layers[-1] = last(*layers[-1])
    return case.but(layers=tuple(layers))


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_scale_of_the_output(lab, bench, method, data):
    case = data.draw(cases(lab))
    factor = data.draw(st.sampled_from(SCALES)) * data.draw(st.sampled_from((1, -1)))
    scaled = with_ends(case, last=lambda weight, bias: (weight * factor, bias * factor))
    expected = factor**2 if method in SQUARED else factor if method in SIGNED else abs(factor)
    found = bench.values(scaled, method)
    assert_same(found, expected * bench.values(case, method), scaled.size(method))


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_shift_of_the_output(lab, bench, method, data):
    case = data.draw(cases(lab))
    shift = data.draw(st.sampled_from((-1.5, 4.0, 1000.0)))
    found = bench.values(with_ends(case, last=lambda weight, bias: (weight, bias + shift)), method)
    if method in SCORED:
        assert_same(found, bench.values(case, method), case.size(method), 1e-12 * (1 + abs(shift)))
    else:
        assert (found == bench.values(case, method)).all()


@pytest.mark.parametrize("method", sorted({*FACTORS} - {*CHOOSING, *MIXING}))
@examples(8)
@given(data=st.data())
def test_units_of_each_feature_cancel_where_inputs_are_factors(lab, bench, method, data):
    case = data.draw(cases(lab))
    units = st.lists(
        st.sampled_from((-2.0, 0.25, 1.0, 3.0)),
        min_size=case.shape.features,
        max_size=case.shape.features,
    )
    unit = np.array(data.draw(units))
    changed = with_ends(case, first=lambda weight, bias: (weight / unit[:, None], bias))
    changed = changed.but(x=case.x * unit, baselines=case.baselines * unit)
    found = bench.values(changed, method)
    assert_same(found, bench.values(case, method), case.size(method))


@pytest.mark.parametrize("method", [name for name in METHODS if name not in FACTORS])
@examples(8)
@given(data=st.data())
def test_gradients_go_with_the_inverse_of_the_unit(lab, bench, method, data):
    unit = 2.0
    case = data.draw(cases(lab, few(lab)))
    changed = with_ends(case, first=lambda weight, bias: (weight / unit, bias)).but(x=case.x * unit)
    # Noise is in the units of the inputs.
    noise = {} if method == "Saliency" else {"noise": NOISY["noise"] * unit}
    power = 2 if method in SQUARED else 1
    found = bench.values(changed, method, **noise)
    assert_same(found, bench.values(case, method) / unit**power, case.size(method))


@pytest.mark.parametrize("method", sorted({*METHODS} - {"GradientInput", *MIXING}))
@examples(8)
@given(data=st.data())
def test_shift_of_the_inputs_and_of_the_baseline(lab, bench, method, data):
    case = data.draw(cases(lab))
    moved, _ = shifted(case)
    found = bench.values(moved, method)
    assert_same(found, bench.values(case, method), moved.size(method), 1e-11)


@examples(8)
@given(data=st.data())
def test_gradient_input_depends_on_where_zero_is(lab, bench, data):
    # It has no baseline to shift along: the product grows by shift times gradient.
    case = data.draw(cases(lab))
    moved, shift = shifted(case)
    difference = bench.values(moved, "GradientInput") - bench.values(case, "GradientInput")
    steepness = bench.values(case, "Saliency")
    size = moved.size("GradientInput")
    assert_same(np.abs(difference), np.abs(shift) * steepness, size, 1e-11)


def shifted(case):
    """The case with its inputs moved and its first bias taking that back."""
    shift = np.linspace(-1.5, 2.0, case.shape.features)
    moved = with_ends(case, first=lambda weight, bias: (weight, bias - shift @ weight))
    return moved.but(x=case.x + shift, baselines=case.baselines + shift), shift


def mixture(ops, layers, activations, x):
    """A sum of two networks: the last pair holds the two factors."""
    *halves, (first, second) = layers
    half = len(halves) // 2
    return first * forward(ops, halves[:half], activations, x) + second * forward(
        ops, halves[half:], activations, x
    )


@pytest.mark.parametrize("method", sorted({*SIGNED} - {*SQUARED, *CHOOSING}))
@examples(8)
@given(data=st.data())
def test_a_sum_of_models_gets_the_sum_of_their_attributions(lab, bench, method, data):
    case = data.draw(cases(lab, few(lab)))
    a, b = data.draw(st.tuples(*[st.sampled_from((-2.0, 0.5, 1.0, 3.0))] * 2))
    other = draw_layers(np.random.default_rng(case.seed + 1), case.shape.sizes)
    both = case.but(layers=(*case.layers, *other, (np.full(1, a), np.full(1, b))))
    found = bench.values(both, method, mixture)
    second = case.but(layers=other)
    expected = a * bench.values(case, method) + b * bench.values(second, method)
    size = abs(a) * case.size(method) + abs(b) * second.size(method)
    assert_same(found, expected, size)
