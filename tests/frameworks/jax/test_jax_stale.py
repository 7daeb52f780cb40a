"""Settings of modules are read as they are; other weights compile nothing."""

import itertools
import logging
import sys
import types

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from polyattr import GradientInput

X = jnp.asarray(np.random.default_rng(5).standard_normal((2, 3)), jnp.float32)
SCALE = {"by": 1.0}


class Compilations(logging.Handler):
    """Counts what XLA compiles."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def emit(self, record):
        self.count += "Finished XLA compilation" in record.getMessage()


@pytest.fixture
def compilations():
    handler, logger = Compilations(), logging.getLogger("jax._src.dispatch")
    logger.addHandler(handler)
    level, propagates = logger.level, logger.propagate
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    yield handler
    logger.setLevel(level)
    logger.propagate = propagates
    logger.removeHandler(handler)


def same_as_new(method):
    found = method.attribute(X, 1)
    fresh = GradientInput(method.model).attribute(X, 1)
    np.testing.assert_allclose(found.values, fresh.values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.scores, fresh.scores, rtol=1e-5, atol=1e-6)
    return np.asarray(found)


class LinenNet(linen.Module):
    def setup(self):
        self.dense = linen.Dense(2)

    def __call__(self, x):
        return jnp.tanh(self.dense(x) * SCALE["by"])


class NnxNet(nnx.Module):
    def __init__(self, rngs):
        self.dense, self.activation, self.scale = nnx.Linear(3, 2, rngs=rngs), jnp.tanh, 1.0

    def __call__(self, x):
        return self.activation(self.dense(x) * self.scale * SCALE["by"])


class EqxNet(eqx.Module):
    weight: jax.Array
    table: np.ndarray
    parts: list

    def __call__(self, x):
        return jnp.tanh(x @ self.weight * self.table * self.parts[0] * SCALE["by"])


def haiku_net(x):
    return jnp.tanh(hk.Linear(2)(x) * SCALE["by"])


def linen_pair():
    return LinenNet(), LinenNet().init(jax.random.key(0), X)


def haiku_pair():
    made = hk.without_apply_rng(hk.transform(haiku_net))
    return made, made.init(jax.random.key(0), X)


def equinox_net():
    return EqxNet(jnp.full((3, 2), 0.2), np.ones(2, np.float32), [1.0])


KINDS = {
    "linen": linen_pair,
    "haiku": haiku_pair,
    "nnx": lambda: NnxNet(nnx.Rngs(0)),
    "equinox": equinox_net,
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_global_that_a_module_reads(kind, monkeypatch):
    method = GradientInput(KINDS[kind]())
    before = same_as_new(method)
    monkeypatch.setitem(SCALE, "by", 3.0)
    assert np.abs(same_as_new(method) - before).max() > 1e-3


def test_static_attributes_of_an_nnx_module():
    model = NnxNet(nnx.Rngs(0))
    method = GradientInput(model)
    found = [same_as_new(method)]
    model.scale = 2.0
    found.append(same_as_new(method))
    model.activation = jnp.sin
    found.append(same_as_new(method))
    model.dense = nnx.Linear(3, 5, rngs=nnx.Rngs(1))
    found.append(same_as_new(method))
    assert all(np.abs(a - b).max() > 1e-3 for a, b in itertools.pairwise(found))


def test_what_is_no_parameter_of_an_equinox_module():
    model = equinox_net()
    method = GradientInput(model)
    found = [same_as_new(method)]
    model.table[1] = 4.0
    found.append(same_as_new(method))
    model.parts[0] = 2.5
    found.append(same_as_new(method))
    model.parts[0] = jnp.full(2, 0.1)
    found.append(same_as_new(method))
    assert all(np.abs(a - b).max() > 1e-3 for a, b in itertools.pairwise(found))


def test_a_class_attribute_of_a_linen_module(monkeypatch):
    method = GradientInput(linen_pair())
    before = same_as_new(method)
    monkeypatch.setattr(LinenNet, "__call__", lambda self, x: self.dense(x) * 3.0)
    assert np.abs(same_as_new(method) - before).max() > 1e-3


def test_variables_of_other_shapes():
    wide, narrow = linen.Dense(5), linen.Dense(2)
    variables = dict(narrow.init(jax.random.key(0), X))

    class Any(linen.Module):
        @linen.compact
        def __call__(self, x):
            kernel = self.get_variable("params", "kernel")
            return x @ kernel + self.get_variable("params", "bias")

    method = GradientInput((Any(), variables))
    np.testing.assert_allclose(method.attribute(X, 1).scores, narrow.apply(variables, X)[:, 1])
    variables.update(wide.init(jax.random.key(1), X))
    np.testing.assert_allclose(
        method.attribute(X, 4).scores, wide.apply(variables, X)[:, 4], rtol=1e-6
    )


def test_other_weights_under_the_same_names_compile_nothing(compilations):
    weights = {"deep": [{"kernel": jnp.eye(3)}]}
    method = GradientInput(lambda x: (x @ weights["deep"][0]["kernel"]).sum(1))
    method.attribute(X)
    twice = 2 * jnp.eye(3)
    before = compilations.count
    assert before  # they are counted
    weights["deep"][0]["kernel"] = twice
    np.testing.assert_allclose(np.asarray(method.explain(X)), 2 * np.asarray(X), rtol=1e-6)
    assert compilations.count == before


def test_a_function_that_cannot_be_followed_is_traced_at_every_call(compilations):
    chance, settings = np.random.default_rng(0), {"n": 1.0}

    def model(x):
        return x.sum(1) * (settings["n"] + 0 * chance.integers(1, 2))

    method = GradientInput(model)
    method.explain(X)
    method.explain(X)
    before = compilations.count
    for n in (1.0, 1.0):
        settings["n"] = n
        np.testing.assert_allclose(np.asarray(method.explain(X)), n * np.asarray(X), rtol=1e-6)
    assert compilations.count == before
    settings["n"] = 4.0
    np.testing.assert_allclose(np.asarray(method.explain(X)), 4 * np.asarray(X), rtol=1e-6)


@pytest.mark.parametrize("shape", [(), (3,)])
def test_an_array_written_into_that_became_part_of_the_program(shape):
    held = np.ones(shape, np.float32)
    method = GradientInput(lambda x: (x**2 * held).sum(axis=1))
    np.testing.assert_allclose(method(X), 2 * X**2, rtol=1e-6)
    held[...] = 4
    np.testing.assert_allclose(method(X), 8 * X**2, rtol=1e-6)


def test_modules_found_in_their_table():
    name = "settings_found_by_name"
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].scale = 1.0
    try:
        method = GradientInput(lambda x: (x * sys.modules[name].scale).sum(axis=1))
        np.testing.assert_allclose(method(X), X)
        sys.modules[name].scale = 3.0
        np.testing.assert_allclose(method(X), 3 * X)
    finally:
        del sys.modules[name]


def test_a_tensor_of_another_framework():
    class Foreign:
        """Stands for a tensor on the host: NumPy looks at its memory."""

        def __init__(self):
            self.memory = np.ones(3, np.float32)

        def __array__(self, dtype=None, copy=None):
            return self.memory[:]

    Foreign.__module__ = "torch"
    held = Foreign()
    method = GradientInput(lambda x: (x * np.asarray(held)).sum(axis=1))
    np.testing.assert_allclose(method(X), X)
    held.memory[:] = 5
    np.testing.assert_allclose(method(X), 5 * X)
