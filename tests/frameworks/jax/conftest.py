"""Collected where JAX must be there, or is; what several test files share."""

import importlib.util
import os

import numpy as np
import pytest

_demanded = os.environ.get("POLYATTR_TEST_BACKENDS")
_here = (
    importlib.util.find_spec("jax") is not None
    if _demanded is None
    else "jax" in _demanded.replace(" ", "").split(",")
)
collect_ignore_glob = [] if _here else ["*"]


def _gradient(function, x):
    """The gradient of the sum of a function's values, by jax.grad alone."""
    import jax

    return np.asarray(jax.jit(jax.grad(lambda leaf: function(leaf).sum()))(x))


def _path_integral(function, x, steps):
    """Integrated gradients from a zero baseline, by the trapezoid rule, all points at once."""
    import jax
    import jax.numpy as jnp

    alphas, weights = np.linspace(0, 1, steps), np.full(steps, 1 / (steps - 1))
    # Just inside the path at its start: at zero itself every ReLU would sit on its kink.
    alphas[0], weights[[0, -1]] = 2.0**-20, weights[0] / 2
    derivative = jax.jit(jax.grad(lambda leaf: function(leaf).sum()))
    points = [derivative(jnp.asarray(alpha * x, x.dtype)) for alpha in alphas]
    return np.asarray(x * sum(w * p for w, p in zip(weights.tolist(), points, strict=True)))


@pytest.fixture
def gradient():
    return _gradient


@pytest.fixture
def path_integral():
    return _path_integral


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
