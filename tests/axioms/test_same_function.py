"""Invariances: another way to write the network, other orders of samples and features."""

import numpy as np
import pytest
from drawn_networks import METHODS, MIXING, SHAPES, Shape, assert_same, cases, examples, few
from hypothesis import given
from hypothesis import strategies as st
from labs import NOISY, named

# The axioms hold with few points, too, whose maps are off, as `explain` says.
pytestmark = pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")

HIDDEN = tuple(shape for shape in SHAPES if shape.activations)
# Noise belongs to the position of a feature (and then to the draw), so moving a feature gives it
# another feature's noise: the noisy methods estimate the same map, but not with the same numbers.
NOISELESS = [name for name in METHODS if name not in named(NOISY)]


def order_of(data, count):
    return np.array(data.draw(st.permutations(range(count))))


def replaced(case, at, *layers):
    """The layers of a case with those from `at` replaced."""
    return (*case.layers[:at], *layers, *case.layers[at + len(layers) :])


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_order_of_hidden_units(lab, bench, method, data):
    case = data.draw(cases(lab, HIDDEN))
    at = data.draw(st.integers(0, len(case.shape.activations) - 1))
    (into, bias), (out, last) = case.layers[at : at + 2]
    order = order_of(data, len(bias))
    layers = replaced(case, at, (into[:, order], bias[order]), (out[order], last))
    found = bench.values(case.but(layers=layers), method)
    assert_same(found, bench.values(case, method), case.size(method))


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_one_unit_written_as_two_halves(lab, bench, method, data):
    case = data.draw(cases(lab, few(lab)))
    at = data.draw(st.integers(0, len(case.shape.activations) - 1))
    (into, bias), (out, last) = case.layers[at : at + 2]
    # Always as many copies, so that the shape stays one: of the first unit, with equal shares.
    into = np.concatenate([into, into[:, :1]], axis=1)
    bias = np.concatenate([bias, bias[:1]])
    out = np.concatenate([out, out[:1] / 2])
    out[0] /= 2
    found = bench.values(case.but(layers=replaced(case, at, (into, bias), (out, last))), method)
    assert_same(found, bench.values(case, method), case.size(method))


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_a_layer_split_by_an_identity(lab, bench, method, data):
    case = data.draw(cases(lab, few(lab)))
    at = 0 if lab.compiled else data.draw(st.sampled_from((0, len(case.layers) - 1)))
    weight, bias = case.layers[at]
    width = len(bias)
    split = ((weight, np.zeros(width)), (np.eye(width), bias))
    layers = (*case.layers[:at], *split, *case.layers[at + 1 :])
    shape, names = case.shape, case.shape.activations
    sizes = (*shape.sizes[: at + 1], width, *shape.sizes[at + 1 :])
    longer = Shape(sizes, (*names[:at], "none", *names[at:]), shape.weighted, shape.n)
    found = bench.values(case.but(shape=longer, layers=layers), method)
    assert_same(found, bench.values(case, method), case.size(method))


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_order_of_samples(lab, bench, method, data):
    case = data.draw(cases(lab))
    order = order_of(data, case.shape.n)
    moved = case.but(x=case.x[order], baselines=case.baselines[order], targets=case.targets[order])
    found = bench.values(moved, method)
    assert_same(found, bench.values(case, method)[order], case.size(method))


@pytest.mark.parametrize("method", METHODS)
@examples(8)
@given(data=st.data())
def test_other_samples_do_not_matter(lab, bench, method, data):
    case = data.draw(cases(lab))
    other = data.draw(cases(lab))
    kept = data.draw(st.integers(0, case.shape.n - 1))
    x, baselines = case.x[::-1] * 2.0 + 1.0, case.baselines * other.spread - 1.0
    x[kept], baselines[kept] = case.x[kept], case.baselines[kept]
    found = bench.values(case.but(x=x, baselines=baselines), method)
    expected = bench.values(case, method)
    assert_same(found[kept], expected[kept], case.size(method)[kept])


@pytest.mark.parametrize("method", [name for name in NOISELESS if name not in MIXING])
@examples(8)
@given(data=st.data())
def test_order_of_features(lab, bench, method, data):
    case = data.draw(cases(lab))
    order = order_of(data, case.shape.features)
    (weight, bias), *rest = case.layers
    moved = case.but(
        layers=((weight[order], bias), *rest),
        x=case.x[:, order],
        baselines=case.baselines[:, order],
    )
    found = bench.values(moved, method)
    assert_same(found, bench.values(case, method)[:, order], case.size(method))


# Guided paths move the features of the smallest gradient first: which of two that are equal but for
# their roundings, which differ between columns of a product, is moved first decides between them.
# tests/methods/test_guided.py has twins whose gradients are equal to the bit.
@pytest.mark.parametrize("method", sorted({*METHODS} - {*MIXING, "GuidedIntegratedGradients"}))
@examples(8)
@given(data=st.data())
def test_interchangeable_features_share_equally(lab, bench, method, data):
    # Their noise differs, but the network reads only their sum: its gradient cannot.
    case = data.draw(cases(lab))
    first, second = order_of(data, case.shape.features)[:2]
    (weight, bias), *rest = case.layers
    weight, x, baselines = weight.copy(), case.x.copy(), case.baselines.copy()
    weight[second], x[:, second], baselines[:, second] = (
        weight[first],
        x[:, first],
        baselines[:, first],
    )
    twins = case.but(layers=((weight, bias), *rest), x=x, baselines=baselines)
    found = bench.values(twins, method)
    assert_same(found[:, second], found[:, first], twins.size(method)[:, 0])
