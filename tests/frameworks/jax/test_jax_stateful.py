"""Equinox modules with a state, and how models with parameters take several inputs."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from polyattr import GradientInput

TRACED = []


@pytest.fixture(scope="module")
def x():
    return jnp.asarray(np.random.default_rng(3).standard_normal((3, 5)), jnp.float32)


class Stateful(eqx.Module):
    """For one example, with running statistics and a count of its own calls."""

    inner: eqx.nn.Linear
    norm: eqx.nn.BatchNorm
    drop: eqx.nn.Dropout
    outer: eqx.nn.Linear
    calls: eqx.nn.StateIndex

    def __init__(self):
        keys = jax.random.split(jax.random.key(0), 2)
        self.inner = eqx.nn.Linear(5, 6, key=keys[0])
        self.norm = eqx.nn.BatchNorm(6, axis_name="batch", mode="ema")
        self.drop = eqx.nn.Dropout(0.5)
        self.outer = eqx.nn.Linear(6, 4, key=keys[1])
        self.calls = eqx.nn.StateIndex(jnp.zeros(()))

    def __call__(self, x, state, scale=1.0):
        TRACED.append("equinox")
        x, state = self.norm(jnp.tanh(self.inner(x)), state)
        state = state.set(self.calls, state.get(self.calls) + 1)
        return self.outer(self.drop(x)) * scale, state


class StatefulBatch(eqx.Module):
    """The same, for a batch."""

    one: Stateful

    def __call__(self, x, state):
        mapped = jax.vmap(self.one, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
        return mapped(x, state)


@pytest.fixture(scope="module")
def stateful(x):
    model, state = eqx.nn.make_with_state(Stateful)()
    model = eqx.tree_at(lambda m: m.drop, model, eqx.nn.Identity())
    mapped = jax.vmap(model, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
    _, state = mapped(x * 2 + 1, state)  # training: the statistics are no longer the first ones
    return model, state


def _silent(stateful):
    model, state = stateful
    silent = eqx.nn.inference_mode(model)
    leaves, tree = jax.tree.flatten(state)  # a state is good for one call
    return lambda x: jax.vmap(lambda row: silent(row, jax.tree.unflatten(tree, leaves))[0])(x)


@pytest.mark.parametrize("batched", [False, True])
def test_an_equinox_module_and_its_state(x, gradient, stateful, batched):
    model, state = stateful
    explainer = GradientInput((StatefulBatch(model) if batched else model, state))
    result = explainer.attribute(x, 2)
    plain = _silent(stateful)
    assert result.backend == "jax"
    np.testing.assert_allclose(result.scores, plain(x)[:, 2], rtol=1e-5)
    expected = x * gradient(lambda x: plain(x)[:, 2], x)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    assert float(state.get(model.calls)) == 1  # neither counted on nor made invalid
    del TRACED[:]
    explainer.explain(x * 2, 1)
    assert not TRACED


def test_the_state_goes_where_the_signature_has_it(x, stateful):
    explainer = GradientInput(stateful)
    single = explainer.explain(x, 2)
    doubled = explainer.explain(x, 2, forward_args=(2.0,))
    np.testing.assert_allclose(doubled, 2 * single, rtol=1e-5)
    named = explainer.explain(x, 2, forward_kwargs={"scale": jnp.arange(1.0, 4.0)})
    np.testing.assert_allclose(named, single * jnp.arange(1.0, 4.0)[:, None], rtol=1e-5)


def _two(a, b):
    return {"out": hk.Linear(2, name="left")(a) + hk.Linear(2, name="right")(b)}


class TwoInputs(eqx.Module):
    left: eqx.nn.Linear
    right: eqx.nn.Linear
    calls: eqx.nn.StateIndex

    def __init__(self):
        self.left, self.right = (eqx.nn.Linear(5, 2, key=jax.random.key(seed)) for seed in range(2))
        self.calls = eqx.nn.StateIndex(jnp.zeros(()))

    def __call__(self, a, b, state):
        return {"out": self.left(a) + self.right(b)}, state


@pytest.mark.parametrize("kind", ["haiku", "haiku with state", "equinox"])
def test_several_inputs_are_passed_one_by_one(x, kind):
    if kind == "equinox":
        model = eqx.nn.make_with_state(TwoInputs)()
        left, right = model[0].left.weight[1], model[0].right.weight[1]
    else:
        transform = hk.transform if kind == "haiku" else hk.transform_with_state
        transformed = transform(_two)
        trees = transformed.init(jax.random.key(0), x, x)
        model = (transformed, *(trees if kind == "haiku with state" else (trees,)))
        left, right = model[1]["left"]["w"][:, 1], model[1]["right"]["w"][:, 1]
    method = GradientInput(model, output="out")
    first, second = method.explain((x, 2 * x), 1)
    np.testing.assert_allclose(first, x * left, rtol=1e-5)
    np.testing.assert_allclose(second, 2 * x * right, rtol=1e-5)
    named = method.explain({"b": x, "a": 3 * x}, 1)
    np.testing.assert_allclose(named["a"], 3 * x * left, rtol=1e-5)
    np.testing.assert_allclose(named["b"], x * right, rtol=1e-5)
