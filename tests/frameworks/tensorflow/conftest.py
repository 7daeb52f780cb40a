"""Collected where TensorFlow must be there, or is; what several test files share."""

from functools import partial

import numpy as np
import pytest
from labs import path_integral as formula
from labs import under_test

collect_ignore_glob = [] if under_test("tensorflow") else ["*"]


def _gradient(function, x):
    """The gradient of the sum of a function's values, by a tape alone."""
    import tensorflow as tf

    leaf = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        total = tf.reduce_sum(function(leaf))
    return tape.gradient(total, leaf).numpy()


@pytest.fixture
def gradient():
    return _gradient


@pytest.fixture
def path_integral():
    """Integrated gradients of a function from zero, by a tape alone."""
    return lambda function, x, steps: formula.path_integral(partial(_gradient, function), x, steps)


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


@pytest.fixture
def by_xla(monkeypatch):
    """Kernels that XLA compiles at their first call, as on accelerators."""
    from polyattr_tensorflow import kernel

    monkeypatch.setattr(kernel, "_Race", lambda: None)
