"""Keras 3 models on one of its backends, which is fixed for a whole process.

Run by `test_keras_on_each_framework.py`, in a process of their own; not collected otherwise.
"""

import os

import pytest

collect_ignore_glob = [] if os.environ.get("POLYATTR_TEST_KERAS") else ["*"]


def pytest_configure(config):
    if os.environ.get("POLYATTR_TEST_KERAS"):
        # Keras' own conversion of its variables to NumPy, by which these tests look at weights.
        config.addinivalue_line(
            "filterwarnings",
            "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning",
        )


def _torch_gradient(function, x):
    import torch

    leaf = torch.from_numpy(x).requires_grad_()
    return torch.autograd.grad(function(leaf).sum(), leaf)[0].numpy()


def _tensorflow_gradient(function, x):
    import tensorflow as tf

    leaf = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(leaf)
        total = tf.reduce_sum(function(leaf))
    return tape.gradient(total, leaf).numpy()


def _jax_gradient(function, x):
    import jax
    import jax.numpy as jnp
    import numpy as np

    return np.asarray(jax.grad(lambda leaf: function(leaf).sum())(jnp.asarray(x)))


@pytest.fixture(scope="session")
def framework():
    """The name of the framework Keras runs on."""
    import keras

    name = os.environ["POLYATTR_TEST_KERAS"]
    assert keras.config.backend() == name
    return name


@pytest.fixture(scope="session")
def native(framework):
    """Makes a tensor of the framework."""
    import keras

    return keras.ops.convert_to_tensor


@pytest.fixture(scope="session")
def gradient(framework):
    """Differentiates the sum of a function with the framework itself."""
    return {"torch": _torch_gradient, "tensorflow": _tensorflow_gradient, "jax": _jax_gradient}[
        framework
    ]
