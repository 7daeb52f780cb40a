"""`polyattr.loss`: what raises a loss, the framework's own or the user's."""

import importlib
import pickle

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr import InputTypeError, ModelOutputError, NonFiniteGradientError

NETWORK = random_network(271, 3, 6, 4, activation="tanh")
X = np.random.default_rng(272).standard_normal((5, 3))
CLASSES = np.array([0, 3, 1, 2, 2])
GOALS = np.random.default_rng(273).standard_normal((5, 4)).astype(np.float32)


def cross_entropy(lab, per_row=True):
    """The framework's own, from logits and class indices; averaged over the rows unless told."""
    if lab.name == "torch":
        import torch

        return torch.nn.CrossEntropyLoss(reduction="none" if per_row else "mean")
    if lab.name == "tensorflow":
        import keras

        reduction = None if per_row else "sum_over_batch_size"
        made = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
        return lambda outputs, targets: made(targets, outputs)
    import jax

    def losses(outputs, targets):
        chosen = jax.nn.one_hot(targets, outputs.shape[-1])
        found = -(chosen * jax.nn.log_softmax(outputs)).sum(axis=-1)
        return found if per_row else found.mean()

    return losses


def squared(lab):
    return lambda outputs, targets: lab.ops.sum((outputs - targets) * (outputs - targets))


def explainer(lab, function, method="GradientInput", **settings):
    operator = polyattr.loss(function)
    return getattr(polyattr, method)(
        lab.mlp(NETWORK), backend=lab.name, operator=operator, **settings
    )


@pytest.mark.parametrize("batch_size", [2, None])
@pytest.mark.parametrize("integer", ["int64", "int32"])
def test_the_frameworks_cross_entropy(lab, integer, batch_size):
    if lab.name == "torch" and integer == "int32":
        integer = "uint8"  # of the small types torch takes this one, beside int64
    made = explainer(lab, cross_entropy(lab), batch_size=batch_size)
    result = made.attribute(lab.tensor(X), CLASSES.astype(integer))
    p, hot = NETWORK.probabilities(X), one_hot(CLASSES, 4)
    assert_close(result.scores, -np.log(p[np.arange(5), CLASSES]))
    assert_close(lab.numpy(result.values), X * NETWORK.gradient(X, p - hot))
    assert result.targets.tolist() == CLASSES.tolist()


def test_a_loss_of_ones_own(lab):
    made = explainer(lab, squared(lab), batch_size=2)
    difference = NETWORK.outputs(X) - GOALS
    for targets in (GOALS, GOALS.astype(np.float64), lab.tensor(GOALS)):
        result = made.attribute(lab.tensor(X), targets)
        assert_close(result.scores, (difference**2).sum(axis=1))
        assert_close(lab.numpy(result.values), X * NETWORK.gradient(X, 2 * difference))
    assert_close(result.targets, GOALS)


def test_a_loss_in_double_precision(lab):
    with lab.double():
        made = explainer(lab, squared(lab))
        found = made.explain(lab.tensor(X, "float64"), GOALS.astype(np.float64))
        difference = NETWORK.outputs(X) - GOALS
        expected = X * NETWORK.gradient(X, 2 * difference)
        assert lab.dtype(found) == "float64"
        assert_close(lab.numpy(found), expected, 1e-13)


def test_a_loss_over_a_dataset_on_a_path(lab):
    made = explainer(lab, squared(lab), "IntegratedGradients", steps=40, rule="gauss-legendre")
    pieces = [slice(0, 3), slice(3, 5)]
    result = made.attribute([(lab.tensor(X[p]), GOALS[p]) for p in pieces])
    start = ((NETWORK.outputs(0 * X) - GOALS) ** 2).sum(axis=1)
    end = ((NETWORK.outputs(X) - GOALS) ** 2).sum(axis=1)
    assert_close(lab.numpy(result.values).sum(axis=1), end - start, 1e-4)


def test_a_loss_that_reduces_over_rows(lab):
    made = explainer(lab, cross_entropy(lab, per_row=False))
    with pytest.raises(ModelOutputError, match="operator gave") as caught:
        made.explain(lab.tensor(X), CLASSES)
    assert "expected one score per sample, (2,)" in str(caught.value)


def test_a_loss_without_targets(lab):
    with pytest.raises(InputTypeError, match=r"targets is None; a loss compares"):
        explainer(lab, squared(lab)).explain(lab.tensor(X))


def test_targets_that_are_not_finite(lab):
    goals = GOALS.copy()
    goals[3, 1] = np.nan
    with pytest.raises(NonFiniteGradientError) as caught:
        explainer(lab, squared(lab)).explain(lab.tensor(X), goals)
    said = "sample 3 at the input (1 of 5 samples affected: 3); its targets are NaN or infinite"
    assert said in str(caught.value)


def test_targets_that_are_missing_for_a_loss_that_allows_it(lab):
    goals = np.array([0.5, np.nan, 1.0, np.nan, -1.0], np.float32)
    missing = np.isnan(goals)
    where = importlib.import_module("jax.numpy" if lab.name == "jax" else lab.name).where

    def known_only(outputs, targets):
        known = where(targets == targets, targets, lab.ops.like(0.0, targets))  # NaN equals nothing
        return lab.ops.sum(outputs) * known

    found = explainer(lab, known_only, "Saliency").attribute(lab.tensor(X), goals)
    values = lab.numpy(found.values)
    assert (values[missing] == 0).all()
    assert values[~missing].all()
    np.testing.assert_array_equal(found.targets, goals)


def test_targets_of_another_number(lab):
    with pytest.raises(ModelOutputError, match="expected one entry per sample"):
        explainer(lab, squared(lab)).explain(lab.tensor(X), GOALS[:3])


@pytest.mark.parametrize("function", [None, "mse", 3.0, [abs]])
def test_something_that_is_no_loss(function):
    with pytest.raises(InputTypeError, match="expected a callable on") as caught:
        polyattr.loss(function)
    assert f"function is {function!r}" in str(caught.value)


def test_a_loss_travels_where_its_function_does():
    made = polyattr.loss(np.subtract)
    assert pickle.loads(pickle.dumps(made)) == made == polyattr.loss(np.subtract)
    assert made != polyattr.loss(np.add)


@pytest.mark.parametrize("kind", [np.longdouble, np.float16, ">f8"])
def test_floats_of_any_length_as_targets(lab, kind):
    """No framework knows NumPy's longest floats: they are converted, and follow the inputs."""
    seen = []

    def distance(outputs, targets):
        seen.append(lab.dtype(targets))
        return lab.ops.sum(outputs) - targets * lab.ops.sum(outputs)

    model = lab.function(lambda ops, x: x)
    method = polyattr.GradientInput(model, backend=lab.name, operator=polyattr.loss(distance))
    x, goals = np.ones((3, 2), np.float32), np.array([0.5, -1.0, 3.0])
    found = method.explain(lab.tensor(x), goals.astype(kind))
    assert_close(lab.numpy(found), (1 - goals)[:, None] * x)
    assert set(seen) == {"float32"}


def test_targets_that_are_no_array(lab):
    method = polyattr.GradientInput(
        lab.function(lambda ops, x: x),
        backend=lab.name,
        operator=polyattr.loss(lambda outputs, targets: outputs),
    )
    with pytest.raises(polyattr.InputError, match=r"targets are no array .*with an operator"):
        method.explain(lab.tensor(np.ones((2, 2))), [[1.0], [1.0, 2.0]])
