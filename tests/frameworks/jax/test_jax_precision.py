"""Layers, pairs and further arguments keep the precision they came in."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from polyattr import IntegratedGradients

DRAW = np.random.default_rng(0).standard_normal
KERNEL, X, MASK = DRAW((3, 4)), DRAW((2, 3)), DRAW((2, 4))


def _cubed(hidden, mask):
    return (hidden**3 * mask).sum(-1)


class Nnx(nnx.Module):
    def __init__(self):
        self.inner = nnx.Linear(3, 4, param_dtype=jnp.float64, rngs=nnx.Rngs(0))
        self.inner.kernel[...] = jnp.asarray(KERNEL)

    def __call__(self, x, mask):
        return _cubed(self.inner(x), mask)


class Equinox(eqx.Module):
    inner: eqx.nn.Linear

    def __call__(self, x, mask):
        return _cubed(self.inner(x), mask)


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x, mask):
        layer = linen.Dense(4, name="inner", dtype=jnp.float64, param_dtype=jnp.float64)
        return _cubed(layer(x), mask)


def _haiku(x, mask):
    return _cubed(hk.Linear(4, name="inner")(x), mask)


def _double(kind):
    kernel, bias = jnp.asarray(KERNEL), jnp.zeros(4)
    if kind == "nnx":
        return Nnx()
    if kind == "linen":
        return Linen(), {"params": {"inner": {"kernel": kernel, "bias": bias}}}
    if kind == "haiku":
        return hk.transform(_haiku), {"inner": {"w": kernel, "b": bias}}
    layer = eqx.nn.Linear(3, 4, key=jax.random.key(0))
    return Equinox(eqx.tree_at(lambda m: (m.weight, m.bias), layer, (kernel.T, bias)))


@pytest.mark.parametrize("kind", ["nnx", "equinox", "linen", "haiku"])
def test_float64_is_exact_in_the_space_of_a_layer(kind):
    with jax.enable_x64(True):
        method = IntegratedGradients(
            _double(kind), input_layer="inner", rule="gauss-legendre", steps=3, batch_size=4
        )
        result = method.attribute(X, forward_args=(MASK,), baselines=0.5)
    hidden = X @ KERNEL
    expected = (hidden**3 - 0.5**3) * MASK
    assert result.values.dtype == jnp.float64
    np.testing.assert_allclose(result.values, expected, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(result.scores, (hidden**3 * MASK).sum(1), rtol=1e-14)
    np.testing.assert_allclose(result.completeness_gap, np.zeros(2), atol=1e-13)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_types_in_the_space_of_a_layer(dtype):
    table = jnp.asarray(KERNEL, dtype)

    def body(ids, scale):
        embedded = hk.Embed(3, 4, name="embed")(ids)
        return (embedded**2 * scale).sum((1, 2))

    model = (hk.transform(body), {"embed": {"embeddings": table}})
    method = IntegratedGradients(model, input_layer="embed", steps=5)
    ids = np.array([[0, 1], [2, 2], [1, 0]])
    scale = np.array([1.0, 2.0, -1.0, 0.5])
    values = method.explain(ids, forward_args=(scale,), baselines=np.zeros_like(ids))
    assert values.dtype == dtype
    exact = (KERNEL[ids] ** 2 - KERNEL[0] * KERNEL[0]) * scale
    # The integral is exact; the table has 11 and 8 bits, and so has every gradient.
    tolerance = {"float16": 4e-3, "bfloat16": 3e-2}[dtype]
    assert abs(np.asarray(values, "float32") - exact).max() < tolerance * abs(exact).max()
