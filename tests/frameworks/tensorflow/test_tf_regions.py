"""Layers called inside functions that have a graph or a gradient of their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from polyattr import GradientInput, LayerNotFoundError

X = np.random.default_rng(8).standard_normal((3, 5)).astype(np.float32)


def _straight(function):
    @tf.custom_gradient
    def straight(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = function(x)

        def gradient(dy, variables=()):
            return tape.gradient(y, x, output_gradients=dy), [None] * len(variables)

        return y, gradient

    return straight


REGIONS = {
    "recomputed": (tf.recompute_grad, "tf.recompute_grad or another custom gradient"),
    "custom": (_straight, "tf.recompute_grad or another custom gradient"),
    "graph": (tf.function, "a tf.function, loop or branch"),
    "branch": (
        lambda f: lambda x: tf.cond(tf.reduce_all(x < 9), lambda: f(x), lambda: f(x)),
        "a tf.function, loop or branch",
    ),
}


class Model(keras.Model):
    """Its hidden layer is called in a region, its head outside."""

    def __init__(self, region):
        super().__init__()
        self.hidden = keras.layers.Dense(4, activation="tanh", name="hidden")
        self.head = keras.layers.Dense(2, name="head")
        self.region = region

    def call(self, x):
        return self.head(self.region(lambda t: self.hidden(t))(x))


@pytest.fixture(params=REGIONS)
def made(request):
    region, named = REGIONS[request.param]
    model = Model(region)
    model(X)
    return model, named


def test_a_layer_in_a_region_is_refused_and_one_outside_is_right(made):
    model, named = made
    (first, bias), (top, _) = ([w.numpy() for w in layer.weights] for layer in model.layers)
    hidden = np.tanh(X @ first + bias)
    for at_input in (False, True):
        method = GradientInput(model, input_layer="hidden", attribute_to_layer_input=at_input)
        with pytest.raises(LayerNotFoundError) as caught:
            method.explain(X, 1)
        assert str(caught.value).startswith(f"layer 'hidden' is called inside {named}, where its ")
        assert "name a layer outside it" in str(caught.value)
    found = GradientInput(model, input_layer="head", attribute_to_layer_input=True).explain(X, 1)
    np.testing.assert_allclose(found, hidden * top[:, 1], rtol=1e-4, atol=1e-6)
    for settings in ({}, {"output_layer": "head"}):
        found = GradientInput(model, **settings).explain(X, 1)
        expected = X * ((1 - hidden**2) * top[:, 1] @ first.T)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_score_read_inside_a_function_that_is_computed_again():
    model = Model(tf.recompute_grad)
    model(X)
    with pytest.raises(LayerNotFoundError, match=r"'hidden' is called inside tf\.recompute_grad"):
        GradientInput(model, output_layer="hidden").explain(X, 1)
    model = Model(_straight)
    model(X)
    first, bias = (weight.numpy() for weight in model.hidden.weights)
    found = GradientInput(model, output_layer="hidden").explain(X, 1)
    slope = 1 - np.tanh(X @ first + bias)[:, 1:2] ** 2
    np.testing.assert_allclose(found, X * slope * first[:, 1], rtol=1e-4, atol=1e-6)


class Keeping(tf.Module):
    """Keeps what it saw in attributes, lists and dicts, which TensorFlow tracks to save them."""

    def __init__(self):
        super().__init__()
        self.weight = tf.Variable(tf.ones((5, 2)))
        self.seen, self.log, self.maps = None, [], {"old": 1}

    @tf.function
    def served(self, x):
        return x @ self.weight

    def __call__(self, x):
        self.seen = self.maps["new"] = tf.nn.softmax(x)
        self.log.append(self.seen)
        return x @ self.weight


def test_a_module_that_keeps_what_it_saw_can_be_saved_as_before(tmp_path):
    model = Keeping()
    for x in (X, X[:2], X):
        np.testing.assert_allclose(GradientInput(model).explain(x, 1), x, rtol=1e-6)
        assert (model.seen, list(model.log), dict(model.maps)) == (None, [], {"old": 1})
    model.served(X)
    path = tf.train.Checkpoint(model=model).save(str(tmp_path / "kept"))
    assert path.startswith(str(tmp_path))
