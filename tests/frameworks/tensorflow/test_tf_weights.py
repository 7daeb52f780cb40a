"""Weights of TensorFlow models that are no Keras 3: variables by name, layers of tf_keras."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras

import polyattr
from polyattr import metrics
from polyattr.backend import get_backend

RNG = np.random.default_rng(1570)


class Module(tf.Module):
    def __init__(self):
        self.first = tf.Variable(RNG.standard_normal((3, 4)).astype(np.float32))
        self.last = tf.Variable(RNG.standard_normal((4, 2)).astype(np.float32))
        self.bias = tf.Variable(tf.ones(2), name="bias")

    def __call__(self, x):
        return tf.tanh(x @ self.first) @ self.last + self.bias


def function():
    held = Module()
    return lambda x: held(x)


def legacy():
    layers = [tf_keras.layers.Dense(4, "tanh", name="stem"), tf_keras.layers.Dense(2, name="head")]
    model = tf_keras.Sequential([tf_keras.Input((3,)), *layers])
    model.trainable = False
    return model


MODELS = {
    "module": (Module, {"Variable", "Variable (2)", "bias"}),
    "function": (function, {"Variable", "Variable (2)", "bias"}),
    "tf_keras, frozen": (legacy, {"stem", "head"}),
}


def interrupted(block, look):
    """Looks at the model in a block that fails then."""
    with block as model:
        look(model)
        raise KeyError("interrupted")


@pytest.mark.parametrize("kind", MODELS)
def test_variables_are_put_back(kind):
    make, names = MODELS[kind]
    model = make()
    bound = get_backend("tensorflow").bind(model)
    before = {name: [v.numpy().copy() for v in held] for name, held in bound.weights().items()}
    assert set(before) == names
    last = list(before)[-1]
    new = {last: [tf.zeros_like(value) for value in bound.weights()[last]]}

    def look(same):
        assert same is model
        assert not any(value.numpy().any() for value in bound.weights()[last])

    with pytest.raises(KeyError, match="interrupted"):
        interrupted(bound.with_weights(new), look)
    after = {name: [v.numpy() for v in held] for name, held in bound.weights().items()}
    assert all(
        np.array_equal(a, b) for n in names for a, b in zip(before[n], after[n], strict=True)
    )
    x = RNG.random((4, 3)).astype(np.float32)
    found = metrics.randomisation(polyattr.GradientInput(model), tf.constant(x), 0, nb_samples=1)
    assert set(found.layers) == names
    assert (found.similarity < 1).any()
