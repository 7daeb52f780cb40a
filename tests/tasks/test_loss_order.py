"""`polyattr.loss` hands a loss its outputs and targets in the order it takes them."""

import functools

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr import InputTypeError

NETWORK = random_network(281, 3, 6, 4, activation="tanh")
X = np.random.default_rng(282).standard_normal((5, 3))
HOT = one_hot(np.array([0, 3, 1, 2, 2]), 4).astype(np.float32)
MAP = X * NETWORK.gradient(X, NETWORK.probabilities(X) - HOT)
LOSSES = -(HOT * np.log(NETWORK.probabilities(X))).sum(axis=1)


def cross_entropies(lab):
    """Cross-entropies of logits with one-hot targets, one per row, as the framework has them."""
    if lab.name == "torch":
        import torch
        from torch.nn import functional

        made = torch.nn.CrossEntropyLoss(reduction="none")
        return [
            functools.partial(functional.cross_entropy, reduction="none"),
            made,
        ]
    if lab.name == "jax":
        import jax
        import optax

        return [optax.softmax_cross_entropy, jax.jit(optax.losses.softmax_cross_entropy)]
    import keras
    import tensorflow as tf
    import tf_keras

    return [
        *(
            functools.partial(losses.categorical_crossentropy, from_logits=True)
            for losses in (keras.losses, tf_keras.losses, tf.keras.losses)
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True, reduction=None),
        tf_keras.losses.CategoricalCrossentropy(from_logits=True, reduction="none"),
        tf.function(tf.nn.softmax_cross_entropy_with_logits),
        functools.partial(keras.ops.categorical_crossentropy, from_logits=True),
    ]


def own(lab):
    """The same, named in the ways people name their arguments."""

    def value(outputs, targets):
        exps = lab.ops.exp(outputs)
        total = lab.ops.sum(exps * (1 + 0 * outputs))[:, None]
        # Not symmetric: the wrong order has another value everywhere.
        return lab.ops.sum(targets * (total / exps - 1.0) * outputs)

    return {
        "outputs, targets": lambda outputs, targets: value(outputs, targets),
        "y_pred, y_true": lambda y_pred, y_true: value(y_pred, y_true),
        "y_true, y_pred": lambda y_true, y_pred: value(y_pred, y_true),
        "labels, logits": lambda labels, logits, axis=-1: value(logits, labels),
        "target, x": lambda target, x: value(x, target),
        "y, y_hat": lambda y, y_hat: value(y_hat, y),
        "y, p": lambda y, p: value(p, y),
        "t, out": lambda t, out: value(out, t),
        "p, t": lambda p, t: value(p, t),
        "a, b": lambda a, b: value(a, b),
    }


def test_the_frameworks_own_losses(lab):
    for function in cross_entropies(lab):
        method = polyattr.GradientInput(
            lab.mlp(NETWORK), backend=lab.name, operator=polyattr.loss(function)
        )
        result = method.attribute(lab.tensor(X), HOT)
        assert_close(result.scores, LOSSES)
        assert_close(lab.numpy(result.values), MAP)


def test_losses_of_ones_own_go_by_the_names_of_their_arguments(lab):
    maps = {}
    for name, function in own(lab).items():
        method = polyattr.GradientInput(
            lab.mlp(NETWORK), backend=lab.name, operator=polyattr.loss(function)
        )
        maps[name] = lab.numpy(method.explain(lab.tensor(X), HOT))
    for found in maps.values():
        assert_close(found, maps["outputs, targets"])


class Objects:
    def __call__(self, y_true, y_pred, sample_weight=None):
        return y_pred - 2 * y_true


class Forwarded:
    def __call__(self, *args, **kwargs):
        return self.forward(*args, **kwargs)

    def forward(self, targets, outputs):
        return outputs - 2 * targets


@pytest.mark.parametrize("made", [Objects(), Forwarded(), functools.partial(Objects())])
def test_objects_go_by_what_they_take(made):
    assert polyattr.loss(made)(lambda inputs: inputs, 5.0, 1.0) == 3.0


@pytest.mark.parametrize(
    "function",
    [lambda y_true, labels: 0, lambda input1, input2, target: 0, lambda preds, outputs: 0],
)
def test_names_that_mean_the_same_are_refused(function):
    with pytest.raises(InputTypeError, match="which of them is the model's output cannot be told"):
        polyattr.loss(function)
