"""Settings of layers, layers replaced, what a subclass reads: looked at before every call."""

import keras
import numpy as np
import pytest
from keras import layers

from polyattr import GradientInput

X = np.random.default_rng(3).standard_normal((2, 4)).astype("float32")
SETTINGS = {"power": 1.0}


class Subclassed(keras.Model):
    factor = 1.0

    def __init__(self):
        super().__init__()
        self.dense, self.act = layers.Dense(3), keras.ops.tanh

    def call(self, x):
        return self.act(self.dense(x) * self.factor * SETTINGS["power"])


def sequential():
    return keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(6, activation="tanh", name="first"),
            layers.LeakyReLU(negative_slope=0.5, name="leaky"),
            layers.Dense(3, name="head"),
        ]
    )


def as_new(method, before=None, target=1):
    """The map, which is that of a new explainer, and not the one before."""
    found = method.attribute(X, target)
    fresh = GradientInput(method.model).attribute(X, target)
    np.testing.assert_allclose(np.asarray(found), np.asarray(fresh), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.scores, fresh.scores, rtol=1e-5, atol=1e-6)
    assert before is None or np.abs(np.asarray(found) - before).max() > 1e-4
    return np.asarray(found)


def test_settings_of_layers(framework):
    model = sequential()
    method = GradientInput(model)
    found = as_new(method)
    model.get_layer("first").activation = keras.activations.linear
    found = as_new(method, found)
    model.get_layer("leaky").negative_slope = 0.1
    found = as_new(method, found)
    model.get_layer("first").kernel.assign(model.get_layer("first").kernel * 2)
    as_new(method, found)


def test_a_layer_replaced(framework):
    model = sequential()
    method = GradientInput(model)
    found = as_new(method)
    model.pop()
    model.add(layers.Dense(5, name="head"))
    assert method.attribute(X).scores.shape == (2,)
    found = as_new(method, found, target=4)
    model.pop()
    model.add(layers.Dense(1, name="head"))
    result = method.attribute(X)
    np.testing.assert_allclose(result.scores, keras.ops.convert_to_numpy(model(X))[:, 0], rtol=1e-5)


def test_what_a_subclass_reads(framework, monkeypatch):
    model = Subclassed()
    model(X)
    method = GradientInput(model)
    found = as_new(method)
    monkeypatch.setitem(SETTINGS, "power", 2.0)
    found = as_new(method, found)
    monkeypatch.setattr(Subclassed, "factor", 0.3)
    found = as_new(method, found)
    model.act = keras.ops.sin
    as_new(method, found)


@pytest.mark.parametrize("make", [sequential, Subclassed])
def test_nothing_that_changes_by_itself_is_looked_at(framework, make):
    """A steady model is bound once; training alone leaves what was bound as it is, too."""
    model = make()
    model(X)
    method = GradientInput(model)
    for _ in range(3):
        method.explain(X, 1)
    bound = method._calls.bound(X)
    method.explain(X, 1)
    assert method._calls.bound(X) is bound
    for variable in model.trainable_variables:
        variable.assign(variable * 1.5)
    as_new(method)
    assert method._calls.bound(X) is bound
