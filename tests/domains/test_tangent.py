"""Gradients along a simplex: what says nothing about one-hot inputs is left out."""

import functools

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr

LETTERS, LENGTH = 4, 5
NETWORK = random_network(1220, LETTERS * LENGTH, 10, 2, activation="tanh")
RNG = np.random.default_rng(1221)
X = one_hot(RNG.integers(0, LETTERS, 3 * LENGTH), LETTERS).reshape(3, LENGTH, LETTERS)
X = X.astype(np.float32)
TARGETS = np.arange(3) % 2


@functools.cache
def model(lab):
    def outputs(ops, x):
        x = ops.reshape(x, LETTERS * LENGTH)
        for i, (weight, bias) in enumerate(NETWORK.layers):
            x = ops.matmul(x, ops.like(weight, x)) + ops.like(bias, x)
            x = x if i else ops.tanh(x)
        return x

    return lab.function(outputs)


def gradient(x):
    flat = NETWORK.gradient(x.reshape(3, -1), one_hot(TARGETS, 2))
    return flat.reshape(3, LENGTH, LETTERS)


def test_the_mean_over_letters_is_left_out(lab):
    g = gradient(X)
    expected = np.abs(g - g.mean(axis=2, keepdims=True))
    with lab.double():
        x = lab.tensor(X, "float64")
        method = polyattr.Saliency(model(lab), backend=lab.name, tangent="simplex")
        assert_close(lab.numpy(method(x, TARGETS)), expected, 1e-12)
        other = polyattr.Saliency(model(lab), backend=lab.name, tangent=("simplex", 1))
        assert_close(lab.numpy(other(x, TARGETS)), np.abs(g - g.mean(axis=1, keepdims=True)), 1e-12)


def test_gradients_are_corrected_before_they_are_squared(lab):
    g = gradient(X)
    method = polyattr.SquareGrad(
        model(lab), backend=lab.name, tangent="simplex", noise=0.0, nb_samples=2
    )
    expected = (g - g.mean(axis=2, keepdims=True)) ** 2
    assert_close(lab.numpy(method(lab.tensor(X), TARGETS)), expected)


def test_paths_on_the_simplex_stay_complete(lab):
    with lab.double():
        x = lab.tensor(X, "float64")
        method = polyattr.IntegratedGradients(
            model(lab), backend=lab.name, tangent="simplex", rule="gauss-legendre", steps=20
        )
        inside = method.attribute(x, TARGETS, baselines=0.25)
        assert np.abs(inside.completeness_gap).max() < 1e-6
        plain = polyattr.IntegratedGradients(
            model(lab), backend=lab.name, rule="gauss-legendre", steps=20, baseline_value=0.25
        )
        # Each position's sum is the same: what was left out is constant over its letters.
        sums = [lab.numpy(r.values).sum(axis=2) for r in (inside, plain.attribute(x, TARGETS))]
        assert_close(sums[0], sums[1], 1e-12)


def test_what_all_letters_have_in_common_has_no_gradient(lab):
    def counts(ops, x):
        return ops.sum(x) ** 2

    method = polyattr.Saliency(lab.function(counts), backend=lab.name, tangent="simplex")
    assert np.abs(lab.numpy(method.explain(lab.tensor(X)))).max() < 1e-5


@pytest.mark.parametrize(
    ("tangent", "said"),
    [
        ("sphere", "tangent is 'sphere'; expected None, 'simplex'"),
        (("simplex", 0), "axis 0, which counts samples"),
        (("simplex", "last"), "is 'last'"),
        (1, "tangent is 1"),
    ],
)
def test_wrong_tangents_are_told(tangent, said):
    with pytest.raises((polyattr.InputError, polyattr.InputTypeError), match=said):
        polyattr.Saliency(abs, tangent=tangent)


def test_an_axis_that_is_not_there_is_told(lab):
    method = polyattr.Saliency(model(lab), backend=lab.name, tangent=("simplex", 3))
    with pytest.raises(polyattr.InputError, match="tangent is 3, and the inputs have 3 axes"):
        method.explain(lab.tensor(X), 0)
