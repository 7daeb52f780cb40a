"""Keras models that were never called: the first call makes their variables, and nothing else."""

import keras
import numpy as np
import pytest

import polyattr

X = np.random.default_rng(337).standard_normal((5, 3)).astype("float32")
FRAMEWORK = keras.config.backend()


class Counting(keras.Model):
    """Scales by how often it was called."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4, activation="tanh")
        self.count = self.add_weight(shape=(), initializer="ones", trainable=False)

    def call(self, x):
        self.add_loss(keras.ops.sum(x**2))
        self.count.assign_add(1.0)
        return self.dense(x) * self.count


def number(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


@pytest.mark.parametrize("batch_size", ["auto", 3])
def test_a_count_that_scales(batch_size):
    keras.utils.set_random_seed(0)
    model = Counting()
    method = polyattr.GradientInput(model, backend=FRAMEWORK, batch_size=batch_size)
    if FRAMEWORK == "jax":  # variables are arguments of the kernel there
        with pytest.raises(polyattr.UnrecognisedModelError, match="call it on some data first"):
            method.explain(X, 0)
        return
    maps = []
    for _ in range(2):
        maps.append(keras.ops.convert_to_numpy(method.explain(X, 0)))
        assert number(model.count) == 1.0
        assert all(np.isfinite(number(loss)) for loss in model.losses)  # none of a trace
    weights, bias = (keras.ops.convert_to_numpy(v) for v in model.dense.variables)
    slope = 1 - np.tanh(X @ weights + bias)[:, :1] ** 2
    np.testing.assert_allclose(maps[0], 2 * X * slope * weights[:, 0], rtol=1e-4, atol=1e-6)
    assert (maps[0] == maps[1]).all()


def test_a_model_is_made_as_it_is_called():
    """Its first call is the user's: of a table that all samples share, no rows are cut off."""
    sizes = []

    class Lookup(keras.Model):
        def __init__(self):
            super().__init__()
            self.head = keras.layers.Dense(2)

        def call(self, x, ids, table):
            sizes.append((x.shape[0], ids.shape[0], table.shape[0]))
            return self.head(x * keras.ops.take(table, ids, axis=0))

    x, table = np.random.default_rng(5).standard_normal((2, 4, 3)).astype("float32")
    ids, model = np.array([3, 0, 2, 1], "int32"), Lookup()
    method = polyattr.GradientInput(model, backend=FRAMEWORK)
    if FRAMEWORK == "jax":
        with pytest.raises(polyattr.UnrecognisedModelError, match="call it on some data first"):
            method.explain(x, 1, forward_args=(ids, table))
        return
    found = keras.ops.convert_to_numpy(method.explain(x, 1, forward_args=(ids, table)))
    weights = keras.ops.convert_to_numpy(model.head.kernel)[:, 1]
    np.testing.assert_allclose(found, x * table[ids] * weights, rtol=1e-5)
    assert sizes[0] == (4, 4, 4)
