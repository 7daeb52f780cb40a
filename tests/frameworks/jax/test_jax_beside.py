"""What a model takes beside its inputs: keys, flags, masks; and what is traced again for them."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from polyattr import GradientInput, InputError, IntegratedGradients


@pytest.fixture(scope="module")
def x():
    return jnp.asarray(np.random.default_rng(3).standard_normal((4, 3)), jnp.float32)


TRACED = []


def _noisy(x, key):
    """A linear function whose weights are drawn from a key."""
    TRACED.append(None)
    return x @ jax.random.normal(key, (x.shape[-1], 2))


class Nnx(nnx.Module):
    def __call__(self, x, key):
        return _noisy(x, key)


class Equinox(eqx.Module):
    scale: float = 1.0

    def __call__(self, x, *, key):
        return _noisy(x * self.scale, key)


class Batched(Equinox):
    def __call__(self, x, *, key):
        return _noisy(x * self.scale, key).reshape(len(x), 2)


MODELS = {
    "function": _noisy,
    "jitted": jax.jit(_noisy),
    "nnx": Nnx(),
    "equinox": Equinox(),
    "equinox batched": Batched(),
}


@pytest.mark.parametrize("make", [jax.random.key, jax.random.PRNGKey])
@pytest.mark.parametrize("kind", MODELS)
def test_a_key_is_shared_by_all_samples_and_never_traced_again(kind, make, x):
    method = IntegratedGradients(MODELS[kind], steps=3, batch_size=2)
    for seed in (0, 1):
        # A tile of two rows: a raw key of two words is not taken for a row per sample.
        values = method.explain(x, 1, forward_kwargs={"key": make(seed)}, batched=())
        weights = jax.random.normal(make(seed), (3, 2))
        np.testing.assert_allclose(values, x * weights[:, 1], rtol=1e-4, atol=1e-6)
        if seed == 0:
            del TRACED[:]
    assert not TRACED


@pytest.mark.parametrize("make", [jax.random.key, jax.random.PRNGKey])
def test_a_key_for_every_sample(make, x):
    keys = jax.random.split(make(7), 4)
    method = GradientInput(Equinox(), batch_size=3)
    values = method.explain(x, 1, forward_kwargs={"key": keys}, batched="key")
    weights = jnp.stack([jax.random.normal(key, (3, 2))[:, 1] for key in keys])
    np.testing.assert_allclose(values, x * weights, rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(values, method.explain(x, 1, forward_kwargs={"key": keys}))


class Options(eqx.Module):
    """Takes everything a model may be given beside its input."""

    weight: jax.Array

    def __call__(self, x, scale, shift=None, *, mode="plain", double=False, table=None):
        TRACED.append((mode, double))
        x = x * (scale if table is None else scale * table["rows"].sum())
        y = (x if shift is None else x + shift) @ self.weight
        return (y**2 if mode == "square" else y) * (2.0 if double else 1.0)


def _plain(weight):
    def model(x, scale, shift=None, *, mode="plain", double=False, table=None):
        TRACED.append((mode, double))
        x = x * (scale if table is None else scale * table["rows"].sum())
        y = (x if shift is None else x + shift) @ weight
        return (y**2 if mode == "square" else y) * (2.0 if double else 1.0)

    return model


@pytest.mark.parametrize("kind", ["function", "equinox"])
def test_flags_are_part_of_the_kernel_and_arrays_are_not(kind, x):
    weight = jnp.asarray(np.random.default_rng(0).standard_normal((3, 2)), jnp.float32)
    method = GradientInput(_plain(weight) if kind == "function" else Options(weight))
    scale, column = jnp.asarray([1.0, 2.0, -1.0]), np.asarray(weight)[:, 1]

    def traced(expected, scale=scale, args=(), **kwargs):
        del TRACED[:]
        values = method.explain(x, 1, forward_args=(scale, *args), forward_kwargs=kwargs)
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
        return set(TRACED)

    once = x * scale * column
    assert traced(once) == {("plain", False)}
    assert traced(x * 5 * column, scale=scale * 0 + 5) == set()
    assert traced(2 * once, double=True) == {("plain", True)}
    assert traced(2 * once, double=True) == set()
    assert traced(once, args=(None,)) == {("plain", False)}
    squared = 2 * ((x * scale) @ column)[:, None] * once
    assert traced(squared, mode="square") == {("square", False)}
    assert traced(squared, mode="sq" + "uare") == set()
    assert traced(once) == set()
    shift = jnp.arange(12.0).reshape(4, 3)  # a row per sample
    moved = 2 * ((x * scale + shift) @ column)[:, None] * once
    assert traced(moved, args=(shift,), mode="square") == {("square", False)}
    table = {"rows": jnp.arange(3.0)}  # shared, and in a container
    assert traced(3 * once, table=table) == {("plain", False)}
    assert traced(6 * once, table={"rows": 2 * jnp.arange(3.0)}) == set()


@pytest.mark.parametrize("rows", [3, 2, 1])
def test_a_shared_array_as_long_as_a_tile_is_still_shared(rows, x):
    weight = jnp.eye(3)[:, :2]
    method = GradientInput(Options(weight), batch_size=rows)
    scale = jnp.asarray([[1.0, 2.0, -1.0]] * rows)[:rows].mean(0)  # (3,), and tiles of `rows`
    table = {"rows": jnp.arange(1.0, rows + 1)}
    values = method.explain(
        x, 1, forward_args=(scale,), forward_kwargs={"table": table}, batched=()
    )
    total = rows * (rows + 1) / 2
    np.testing.assert_allclose(values, x * scale * weight[:, 1] * total, rtol=1e-5)


def test_a_shared_array_as_long_as_the_batch_has_to_be_said_to_be_shared(x):
    method = GradientInput(Options(jnp.eye(3)[:, :2]))
    scale = jnp.asarray([1.0, 2.0, -1.0])
    table = {"rows": jnp.arange(1.0, 5)}  # four rows, four samples
    beside = {"forward_args": (scale,), "forward_kwargs": {"table": table}}
    shared = method.explain(x, 1, **beside, batched=())
    each = method.explain(x, 1, **beside)
    expected = np.zeros((4, 3))
    expected[:, 1] = 2 * x[:, 1]
    np.testing.assert_allclose(shared, expected * 10, rtol=1e-5)
    np.testing.assert_allclose(each, expected * np.arange(1, 5)[:, None], rtol=1e-5)
    with pytest.raises(InputError, match=r"forward_args\[0\] has shape \(3,\), but batched says"):
        method.explain(x, 1, **beside, batched=0)
