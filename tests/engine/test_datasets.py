"""Datasets: any iterable of batches, with or without targets."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

RNG = np.random.default_rng(111)
X, W = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 4))
Y = np.array([3, 0, 1, 1, 2])
EXPECTED = X * W[:, Y].T
SIZES = [(0, 2), (2, 4), (4, 5)]


@pytest.fixture(scope="module")
def method(lab):
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(W, x)))
    return polyattr.GradientInput(model, backend=lab.name)


def test_a_generator_of_pairs(lab, method):
    found = method.explain((lab.tensor(X[a:b]), Y[a:b]) for a, b in SIZES)
    assert lab.is_native(found)
    assert_close(lab.numpy(found), EXPECTED)


def test_a_list_of_pairs(lab, method):
    result = method.attribute([(X[a:b], Y[a:b]) for a, b in SIZES])
    assert_close(lab.numpy(result.values), EXPECTED)
    assert_close(result.scores, (X @ W)[np.arange(5), Y])
    assert result.targets.tolist() == Y.tolist()
    assert result.evaluations.tolist() == [1] * 5
    assert result.error.shape == result.converged.shape == (5,)


def test_a_generator_of_inputs(lab, method):
    predicted = (X @ W).argmax(axis=1)
    result = method.attribute(lab.tensor(X[a:b]) for a, b in SIZES)
    assert result.targets.tolist() == predicted.tolist()
    assert_close(lab.numpy(result.values), X * W[:, predicted].T)
    found = method.explain(((lab.tensor(X[a:b]),) for a, b in SIZES), 2)
    assert_close(lab.numpy(found), X * W[:, 2])


def test_a_target_for_the_whole_dataset_replaces_its_own(lab, method):
    found = method.explain([(X[a:b], Y[a:b]) for a, b in SIZES], 1)
    assert_close(lab.numpy(found), X * W[:, 1])


def test_batches_of_several_inputs(lab):
    model = lab.function(lambda ops, left, right: ops.sum(left * right))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=2)
    batches = (({"left": X[a:b], "right": 2 * X[a:b]}, None) for a, b in SIZES)
    result = method.attribute(batches)
    assert_close(lab.numpy(result.values["left"]), X * X)
    assert_close(lab.numpy(result.values["right"]), X * X)
    assert_close(result.baseline_scores + 1, np.ones(5))
    assert result.completeness_gap.shape == (5,)


def test_noise_is_the_same_in_every_batch(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x * x))
    method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=4)
    whole = lab.numpy(method.explain(lab.tensor(X)))
    parts = method.explain(lab.tensor(X[a:b]) for a, b in SIZES)
    assert_close(lab.numpy(parts), whole, 1e-6)
