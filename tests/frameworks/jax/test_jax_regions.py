"""Layers called inside what JAX and its libraries transform."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from layered import WEIGHTS, apply

from polyattr import GradientInput, LayerNotFoundError

X = jnp.asarray(np.random.default_rng(8).standard_normal((3, 5)), jnp.float32)


def _after(first, second):
    return lambda x: second(jnp.tanh(first(x)))


class NnxModel(nnx.Module):
    def __init__(self, region):
        self.first, self.second = (nnx.Linear(*WEIGHTS[n][0].shape, rngs=nnx.Rngs(0)) for n in ENDS)
        for name in ENDS:
            getattr(self, name).kernel[...], getattr(self, name).bias[...] = WEIGHTS[name]
        self.region = region

    def __call__(self, x):
        return self.region(lambda m, t: _after(m.first, m.second)(t))(self, x)


class EqxModel(eqx.Module):
    first: eqx.nn.Linear
    second: eqx.nn.Linear
    region: object = eqx.field(static=True)

    def __call__(self, x):
        return self.region(lambda m, t: _after(m.first, m.second)(t))(self, x)


def _eqx(region):
    def linear(name):
        kernel, bias = WEIGHTS[name]
        empty = eqx.nn.Linear(*kernel.shape, key=jax.random.key(0))
        return eqx.tree_at(lambda e: (e.weight, e.bias), empty, (kernel.T, bias))

    return EqxModel(linear("first"), linear("second"), region)


def _haiku(region):
    def network(x):
        sizes = {name: WEIGHTS[name][0].shape[1] for name in ENDS}
        first, second = (hk.Linear(size, name=name) for name, size in sizes.items())
        return region(_after(first, second))(x)

    params = {name: dict(zip("wb", WEIGHTS[name], strict=True)) for name in ENDS}
    return hk.transform(network), params


ENDS = ("first", "second")
REACHED = {
    "nnx.remat": lambda: NnxModel(nnx.remat),
    "nnx.jit": lambda: NnxModel(nnx.jit),
    "eqx.filter_checkpoint": lambda: _eqx(eqx.filter_checkpoint),
    "eqx.filter_jit": lambda: _eqx(eqx.filter_jit),
    "a policy": lambda: _eqx(
        lambda f: jax.checkpoint(f, policy=jax.checkpoint_policies.everything_saveable)
    ),
    "hk.remat": lambda: _haiku(hk.remat),
}


@pytest.mark.parametrize("kind", REACHED)
def test_layers_that_are_computed_again_are_reached(kind):
    hidden, weight = apply("first", X), WEIGHTS["second"][0][:, 1]
    slope = (1 - jnp.tanh(hidden) ** 2) * weight
    model = REACHED[kind]()
    found = GradientInput(model, input_layer="first").explain(X, 1)
    np.testing.assert_allclose(found, hidden * slope, rtol=1e-4, atol=1e-6)
    found = GradientInput(model, output_layer="second").explain(X, 1)
    np.testing.assert_allclose(found, X * (slope @ WEIGHTS["first"][0].T), rtol=1e-4, atol=1e-6)


def _custom(function):
    @jax.custom_vjp
    def custom(x):
        return function(x)

    custom.defvjp(lambda x: (function(x), x), lambda x, given: jax.vjp(function, x)[1](given))
    return custom


def _branch(function):
    return lambda x: jax.lax.cond(x.sum() < 99, function, lambda t: 2 * function(t), x)


@pytest.mark.parametrize(("wrap", "named"), [(_custom, "custom_vjp"), (_branch, "cond")])
def test_layers_inside_custom_derivatives_and_branches_are_refused(wrap, named):
    model = _eqx(lambda f: lambda m, t: wrap(lambda x: f(m, x))(t))
    hidden = apply("first", X)
    slope = (1 - jnp.tanh(hidden) ** 2) * WEIGHTS["second"][0][:, 1]
    plain = GradientInput(model).explain(X, 1)
    np.testing.assert_allclose(plain, X * (slope @ WEIGHTS["first"][0].T), rtol=1e-4, atol=1e-6)
    for role in ("input_layer", "output_layer"):
        with pytest.raises(LayerNotFoundError, match=f"'first' is called inside '{named}.*outside"):
            GradientInput(model, **{role: "first"}).explain(X, 1)
