"""Functions whose graph does not know the shape of what comes out: Python and tables inside."""

import numpy as np
import pytest
import tensorflow as tf

import polyattr

X = np.random.default_rng(351).standard_normal((5, 4)).astype("float32")
WEIGHTS = np.random.default_rng(352).standard_normal((4, 3)).astype("float32")
TABLE = tf.lookup.experimental.MutableHashTable(tf.int32, tf.float32, 0.0)
TABLE.insert(0, 2.0)


def by_numpy(x):
    return x @ WEIGHTS * tf.numpy_function(lambda: np.float32(2.0), [], tf.float32)


def by_python(x):
    return tf.py_function(lambda rows: rows @ WEIGHTS * 2.0, [x], tf.float32)


def by_table(x):
    return x @ WEIGHTS * TABLE.lookup(tf.constant(0))


def by_squeezing(x):
    return tf.squeeze(tf.numpy_function(lambda a: a, [tf.ones(1)], tf.float32) * by_numpy(x))


@pytest.mark.parametrize("model", [by_numpy, by_python, by_table, by_squeezing])
def test_outputs_of_unknown_rank(model):
    methods = [
        polyattr.GradientInput(model, backend="tensorflow"),
        polyattr.IntegratedGradients(model, backend="tensorflow", steps=4, batch_size=3),
    ]
    for method in methods:
        for n in (5, 1, 2):
            result = method.attribute(tf.constant(X[:n]), 1)
            np.testing.assert_allclose(result.values, X[:n] * WEIGHTS[:, 1] * 2, 1e-4, 1e-5)
            np.testing.assert_allclose(result.scores, X[:n] @ WEIGHTS[:, 1] * 2, 1e-4, 1e-5)


def test_one_of_two_outputs_of_unknown_rank():
    def model(x):
        return {"known": x, "unknown": by_numpy(x)}

    method = polyattr.GradientInput(model, backend="tensorflow", output="unknown")
    found = method.explain(tf.constant(X), 2)
    np.testing.assert_allclose(found, X * WEIGHTS[:, 2] * 2, 1e-4, 1e-5)
