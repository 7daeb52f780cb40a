"""Datasets: any iterable of batches, with or without targets."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import InputError

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
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=2, rule="midpoint")
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


def first_row(outputs):
    return outputs[:, 0]


# What another batch has, and what is said of it.
UNLIKE = {
    "another shape": ((np.ones((2, 4), "float32"), None), "inputs: float32 (N, 4) in batch 2"),
    "another rank": ((np.ones(2, "float32"), None), "inputs: float32 (N,) in batch 2"),
    "another dtype": ((np.ones((2, 3), "float16"), None), "inputs: float16 (N, 3) in batch 2"),
    "a container": (((np.ones((2, 3), "float32"),), None), "inputs: tuple(array) in batch 2"),
}
TARGETS = {
    "weights": (np.ones((2, 4), "float32"), "targets: weights (N, 4) in batch 2"),
    "a callable": (first_row, "targets: 'first_row' in batch 2"),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_batches_whose_maps_cannot_be_joined(lab, name):
    model = lab.function(lambda ops, x: ops.sum(x * x) if len(x.shape) > 1 else x * x)
    method = polyattr.Saliency(model, backend=lab.name)
    batch, said = UNLIKE[name]
    native = (lab.tensor(batch[0]) if name != "a container" else batch[0], None)
    batches = [(lab.tensor(np.ones((2, 3), "float32")), None), native]
    for call in (method.explain, method.attribute):
        left = iter([*batches, *batches])
        with pytest.raises(InputError) as caught:
            call(left)
        assert str(caught.value).startswith(f"{said} of the dataset, ")
        assert "explain_batches" in str(caught.value)
        assert len(list(left)) == 2  # it was said when the batch was met
    assert len(list(method.explain_batches(iter(batches)))) == 2


@pytest.mark.parametrize("name", TARGETS)
def test_batches_whose_targets_cannot_be_joined(lab, method, name):
    targets, said = TARGETS[name]
    batches = [(X[:2], Y[:2]), (X[2:4], targets)]
    with pytest.raises(InputError) as caught:
        method.attribute(batches)
    assert str(caught.value).startswith(f"{said} of the dataset, indices (N,) in the first; ")
    kinds = [type(result.targets) for result in method.attribute_batches(batches)]
    assert kinds == [np.ndarray, str if targets is first_row else np.ndarray]
    weights = np.stack(
        [W[:, Y[0]], W[:, Y[1]], *[W[:, 0] if targets is first_row else W.sum(1)] * 2]
    )
    assert_close(lab.numpy(method.explain(batches)), X[:4] * weights, 1e-6)
