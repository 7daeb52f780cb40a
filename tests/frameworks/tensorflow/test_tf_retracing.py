"""TensorFlow warns of functions traced again and again: ours are not, however many there are."""

import logging

import keras
import numpy as np
import pytest
import tensorflow as tf

import polyattr


@pytest.fixture
def told(caplog):
    """What TensorFlow's own logger says, which hands nothing on to the loggers above."""
    caplog.set_level(logging.WARNING, logger="tensorflow")
    tf.get_logger().addHandler(caplog.handler)
    yield caplog
    tf.get_logger().removeHandler(caplog.handler)


def test_many_explainers_are_not_taken_for_one_that_retraces(told):
    for i in range(7):
        weights = tf.fill((3, 2), float(i))
        method = polyattr.IntegratedGradients(lambda x, w=weights: x @ w, steps=3)
        method.attribute(tf.ones((2, 3)), 1)
    assert "retracing" not in told.text


@pytest.mark.parametrize("n", [5, 169, 700])
@pytest.mark.parametrize("method", [polyattr.IntegratedGradients, polyattr.SmoothGrad])
def test_a_first_call_in_blocks_of_several_sizes_warns_of_nothing(told, method, n):
    layers = [keras.Input((30,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(2)]
    x = np.random.default_rng(n).standard_normal((n, 30)).astype(np.float32)
    method(keras.Sequential(layers)).attribute(x)
    assert "retracing" not in told.text
