"""Layers whose activations are computed again, and other threads that call the model."""

import threading

import keras
import numpy as np
import pytest
from keras import layers

from polyattr import GradientInput, IntegratedGradients

X = np.random.default_rng(3).standard_normal((3, 4)).astype("float32")
MODES = {
    "full": {"mode": "full"},
    "activations": {"mode": "activations"},
    "some": {"mode": "list_of_layers", "layer_names": ["first"]},
}


def network(mode):
    keras.utils.set_random_seed(0)
    stack = [layers.Dense(5, activation="tanh", name="first"), layers.Dense(3, name="top")]
    if mode is None:
        return keras.Sequential([keras.Input((4,)), *stack])
    with keras.RematScope(**MODES[mode]):
        stack = [type(layer).from_config(layer.get_config()) for layer in stack]
        return keras.Sequential([keras.Input((4,)), *stack])


@pytest.mark.skipif(not hasattr(keras, "RematScope"), reason="Keras before 3.9 has none")
@pytest.mark.parametrize("mode", MODES)
def test_layers_that_are_computed_again(mode):
    model, plain = network(mode), network(None)
    plain.set_weights(model.get_weights())
    numpy = keras.ops.convert_to_numpy
    (first, bias), (top, _) = ([numpy(w) for w in layer.weights] for layer in model.layers)
    hidden = np.tanh(X @ first + bias)
    at_layer = GradientInput(model, input_layer="first").explain(X, 1)
    np.testing.assert_allclose(numpy(at_layer), hidden * top[:, 1], rtol=1e-4, atol=1e-6)
    inputs = X * ((1 - hidden**2) * top[:, 1] @ first.T)
    for settings in ({}, {"output_layer": "top"}):
        found = numpy(GradientInput(model, **settings).explain(X, 1))
        np.testing.assert_allclose(found, inputs, rtol=1e-4, atol=1e-6)
        expected = numpy(GradientInput(plain, **settings).explain(X, 1))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)


class Attention(layers.Layer):
    """Keeps what it weighs with, and adds a loss."""

    def __init__(self):
        super().__init__()
        self.top, self.weights_seen, self.log = layers.Dense(3), None, []

    def call(self, x):
        self.weights_seen = keras.ops.softmax(x)
        self.log.append(self.weights_seen)
        self.add_loss(0.1 * keras.ops.sum(self.weights_seen))
        return self.top(self.weights_seen * x)


def test_losses_and_kept_attention_are_as_they_were(native):
    attention = Attention()
    first = layers.Dense(4, activity_regularizer="l2", kernel_regularizer="l1", name="first")
    model = keras.Sequential([keras.Input((4,)), first, attention])
    model(native(X))
    seen, log = attention.weights_seen, list(attention.log)
    losses = [keras.ops.convert_to_numpy(loss).item() for loss in model.losses]
    assert len(losses) == 3
    for method in (
        GradientInput(model),
        IntegratedGradients(model, steps=4),
        GradientInput(model, input_layer="first"),
    ):
        for x in (X, X[:2]):
            method.explain(x, 1)
            assert [keras.ops.convert_to_numpy(loss).item() for loss in model.losses] == losses
            assert attention.weights_seen is seen
            assert len(attention.log) == len(log)
            assert all(a is b for a, b in zip(attention.log, log, strict=True))


class Asking(layers.Layer):
    """Lets another thread call the model in the middle of every call of its own."""

    other = None

    def call(self, x):
        if self.other is not None:
            other, self.other = self.other, None
            other()
            self.other = other
        return x


def test_another_thread_calls_a_model_that_is_being_tapped(native):
    """Its calls go to the layers themselves, and are not taken for the explainer's."""
    top = layers.Dense(3, name="top")
    asking = Asking()
    model = keras.Sequential([keras.Input((4,)), asking, top])
    seen = []

    def elsewhere():
        thread = threading.Thread(target=lambda: seen.append(top(native(X[:2]))))
        thread.start()
        thread.join()

    asking.other = elsewhere
    found = GradientInput(model, input_layer="top").explain(X, 1)
    asking.other = None
    numpy = keras.ops.convert_to_numpy
    kernel, bias = (numpy(weight) for weight in top.weights)
    expected = X @ kernel + bias
    np.testing.assert_allclose(numpy(found)[:, 1], expected[:, 1], rtol=1e-4, atol=1e-6)
    assert seen
    for activation in seen:
        np.testing.assert_allclose(numpy(activation), expected[:2], rtol=1e-4, atol=1e-6)
