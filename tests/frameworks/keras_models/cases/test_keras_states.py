"""Keras models that keep a state, draw random numbers, or take one batch size."""

import keras
import numpy as np
import pytest

import polyattr

X = np.random.default_rng(331).standard_normal((5, 4, 3)).astype("float32")


def arrays(model):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in model.variables]


def explained_twice(model, **settings):
    """Two equal calls; the model is as it was after each."""
    method = polyattr.GradientInput(model, backend=keras.config.backend(), **settings)
    before, maps = arrays(model), []
    for _ in range(2):
        maps.append(keras.ops.convert_to_numpy(method.explain(X, 0)))
        assert all((a == b).all() for a, b in zip(before, arrays(model), strict=True))
    assert (maps[0] == maps[1]).all()
    return maps[0]


def test_a_stateful_recurrent_layer_of_a_fixed_batch():
    keras.utils.set_random_seed(0)
    plain = keras.Sequential([keras.Input((4, 3)), keras.layers.GRU(5), keras.layers.Dense(2)])
    stateful = keras.Sequential(
        [
            keras.Input(batch_shape=(4, 4, 3)),
            keras.layers.GRU(5, stateful=True),
            keras.layers.Dense(2),
        ]
    )
    weights = plain.get_weights()
    for variable, value in zip(stateful.trainable_variables, weights, strict=True):
        variable.assign(value)
    expected = explained_twice(plain)
    np.testing.assert_allclose(explained_twice(stateful), expected, rtol=1e-4, atol=1e-6)


class Averaging(keras.Model):
    """Subtracts a moving average that every call moves."""

    def build(self, shape):
        self.mean = self.add_weight(shape=(12,), initializer="zeros", trainable=False)
        self.built = True

    def call(self, x):
        x = keras.ops.reshape(x, (-1, 12))
        self.mean.assign(self.mean * 0.5 + 0.5)
        return (x - self.mean) ** 2


def test_a_moving_average():
    model = Averaging()
    model.build((None, 4, 3))
    found = explained_twice(model)
    expected = np.zeros_like(X)
    expected[:, 0, 0] = X[:, 0, 0] * 2 * (X[:, 0, 0] - 0.5)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


class Centring(keras.Model):
    """Subtracts the mean of the first samples it sees."""

    def build(self, shape):
        self.mean = self.add_weight(shape=(12,), initializer="zeros", trainable=False)
        self.known = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.built = True

    def call(self, x):
        x = keras.ops.reshape(x, (-1, 12))
        mean = keras.ops.where(self.known > 0, self.mean * 1.0, keras.ops.mean(x, 0))
        self.mean.assign(mean)
        self.known.assign(1.0)
        return (x - mean) ** 2


def test_what_the_first_samples_set():
    model = Centring()
    model.build((None, 4, 3))
    with pytest.raises(polyattr.ModelOutputError, match="scored on its own"):
        explained_twice(model)
    model(X[:3])
    expected = np.zeros_like(X)
    expected[:, 0, 0] = X[:, 0, 0] * 2 * (X[:, 0, 0] - X[:3, 0, 0].mean())
    np.testing.assert_allclose(explained_twice(model), expected, rtol=1e-4, atol=1e-6)


class Dropping(keras.Model):
    """Drops also where nothing is trained."""

    def build(self, shape):
        self.drop = keras.layers.Dropout(0.5, seed=1)
        self.built = True

    def call(self, x):
        return keras.ops.reshape(self.drop(x, training=True), (-1, 12))


def test_dropout_that_stays_on_is_told_of():
    model = Dropping()
    model.build((None, 4, 3))
    method = polyattr.GradientInput(model, backend=keras.config.backend())
    with pytest.warns(polyattr.RandomModelWarning, match="training=True"):
        method.explain(X, 0)
