"""Collected where JAX must be there, or is; what several test files share."""

import numpy as np
import pytest
from labs import path_integral as formula
from labs import under_test

collect_ignore_glob = [] if under_test("jax") else ["*"]


def _gradient(function, x):
    """The gradient of the sum of a function's values, by jax.grad alone."""
    import jax

    return np.asarray(jax.jit(jax.grad(lambda leaf: function(leaf).sum()))(x))


@pytest.fixture
def gradient():
    return _gradient


@pytest.fixture
def path_integral():
    """Integrated gradients of a function from zero, by jax.grad alone."""
    import jax

    def integral(function, x, steps):
        derivative = jax.jit(jax.grad(lambda leaf: function(leaf).sum()))
        return np.asarray(formula.path_integral(derivative, x, steps))

    return integral


@pytest.fixture
def images():
    import jax.numpy as jnp

    return jnp.asarray(np.random.default_rng(1).standard_normal((3, 5, 5, 2)), jnp.float32)


@pytest.fixture(autouse=True)
def _same_settings():
    """No test may leave JAX, or a call move it, to other settings."""
    import jax

    def settings():
        config = jax.config
        return config.jax_enable_x64, config.jax_disable_jit, config.jax_default_device

    before = settings()
    yield
    assert settings() == before
