"""Collected where TensorFlow must be there, or is; what several test files share."""

import importlib.util
import os

import numpy as np
import pytest

_demanded = os.environ.get("POLYATTR_TEST_BACKENDS")
_here = (
    importlib.util.find_spec("tensorflow") is not None
    if _demanded is None
    else "tensorflow" in _demanded.replace(" ", "").split(",")
)
collect_ignore_glob = [] if _here else ["*"]


def _gradient(function, x):
    """The gradient of the sum of a function's values, by a tape alone."""
    import tensorflow as tf

    leaf = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        total = tf.reduce_sum(function(leaf))
    return tape.gradient(total, leaf).numpy()


def _path_integral(function, x, steps):
    """Integrated gradients from a zero baseline, by the trapezoid rule, point after point."""
    alphas, weights = np.linspace(0, 1, steps), np.full(steps, 1 / (steps - 1))
    # Just inside the path at its start: at zero itself every ReLU would sit on its kink.
    alphas[0], weights[[0, -1]] = 2.0**-20, weights[0] / 2
    points = [(alpha * x).astype(x.dtype) for alpha in alphas]
    return x * sum(w * _gradient(function, p) for w, p in zip(weights, points, strict=True))


@pytest.fixture
def gradient():
    return _gradient


@pytest.fixture
def path_integral():
    return _path_integral


@pytest.fixture(autouse=True)
def _same_settings():
    """No test may leave TensorFlow, or a call move it, to another mode of execution."""
    import tensorflow as tf

    def settings():
        return (
            tf.executing_eagerly(),
            tf.config.functions_run_eagerly(),
            tf.config.optimizer.get_jit(),
            tf.inside_function(),
            tf.config.get_soft_device_placement(),
        )

    before = settings()
    yield
    assert settings() == before


@pytest.fixture
def images():
    return np.random.default_rng(1).standard_normal((3, 5, 5, 2)).astype("float32")
