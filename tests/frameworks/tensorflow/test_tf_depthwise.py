"""Depthwise convolutions run as a plain graph on the CPU, where XLA's gradient of them is slow."""

import numpy as np
import pytest
import tensorflow as tf

from polyattr_tensorflow.kernel import Kernel

X = np.random.default_rng(0).standard_normal((2, 5, 5, 3)).astype("float32")
FILTER = np.random.default_rng(1).standard_normal((3, 3, 3, 1)).astype("float32")


def depthwise(x):
    return tf.nn.depthwise_conv2d(x, FILTER, strides=[1, 1, 1, 1], padding="SAME")


@pytest.mark.usefixtures("by_xla")
@pytest.mark.parametrize("function", [depthwise, tf.function(depthwise)])
def test_a_function_with_one_is_not_left_to_xla(function):
    kernel = Kernel(function)
    for _ in range(2):
        np.testing.assert_allclose(kernel(tf.constant(X)), depthwise(X), rtol=1e-5, atol=1e-6)
    assert kernel._refused


@pytest.mark.usefixtures("by_xla")
def test_a_function_without_one_is():
    kernel = Kernel(lambda x: x * 2.0)
    np.testing.assert_array_equal(kernel(tf.constant(X)), X * 2)
    assert not kernel._refused
