"""Token models: integer ids go in, the embedding layer is attributed to."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from polyattr import InputTypeError, IntegratedGradients, Saliency

TABLE = jnp.asarray(np.random.default_rng(0).standard_normal((11, 3)), jnp.float32)
HEAD = jnp.asarray(np.random.default_rng(1).standard_normal((3, 2)), jnp.float32)
IDS = np.array([[1, 2, 3, 4], [5, 5, 0, 0], [10, 9, 1, 7], [4, 3, 2, 1], [8, 0, 0, 0]])
MASK = (IDS != 0).astype(np.float32)


def _head(embedded, mask):
    """Tokens (..., T, D) and their mask (..., T) to logits."""
    if mask is not None:
        embedded = embedded * mask[..., None]
    return jnp.tanh(embedded.sum(-2)) @ HEAD


class Nnx(nnx.Module):
    def __init__(self):
        self.embed = nnx.Embed(11, 3, rngs=nnx.Rngs(0))
        self.embed.embedding[...] = TABLE

    def __call__(self, ids, mask=None):
        return _head(self.embed(ids), mask)


class PerExample(eqx.Module):
    embed: eqx.nn.Embedding = eqx.nn.Embedding(weight=TABLE)

    def __call__(self, ids, mask=None):
        return _head(jax.vmap(self.embed)(ids), mask)


class Batched(eqx.Module):
    embed: eqx.nn.Embedding = eqx.nn.Embedding(weight=TABLE)

    def __call__(self, ids, mask=None):
        return _head(jax.vmap(jax.vmap(self.embed))(ids), mask)


class Linen(linen.Module):
    @linen.compact
    def __call__(self, ids, mask=None):
        return _head(linen.Embed(11, 3, name="embed")(ids), mask)


def _haiku(ids, mask=None):
    return _head(hk.Embed(11, 3, name="embed")(ids), mask)


MODELS = {
    "nnx": Nnx,
    "equinox": PerExample,
    "equinox batched": Batched,
    "linen": lambda: (Linen(), {"params": {"embed": {"embedding": TABLE}}}),
    "haiku": lambda: (hk.transform(_haiku), {"embed": {"embeddings": TABLE}}),
}


@pytest.mark.parametrize("kind", MODELS)
def test_a_token_model_through_its_embedding(kind, path_integral):
    method = IntegratedGradients(MODELS[kind](), input_layer="embed", steps=9, batch_size=7)
    result = method.attribute(IDS, 1, baselines=np.zeros_like(IDS))
    start = TABLE[jnp.zeros_like(IDS)]
    expected = path_integral(lambda d: _head(start + d, None)[:, 1], TABLE[IDS] - start, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.baseline_scores, _head(start, None)[:, 1], rtol=1e-5)
    masked = method.explain(IDS, 1, forward_kwargs={"mask": MASK})
    expected = path_integral(lambda e: _head(e, MASK)[:, 1], TABLE[IDS], 9)
    np.testing.assert_allclose(masked, expected, rtol=1e-4, atol=1e-6)
    assert np.array_equal((masked == 0).all(-1), MASK == 0)


@pytest.mark.parametrize("kind", ["nnx", "equinox"])
def test_baselines_are_ids_or_activations(kind):
    method = IntegratedGradients(MODELS[kind](), input_layer="embed", steps=5)
    pad = method.explain(jnp.asarray(IDS), 1, baselines=np.full(4, 6))
    row = method.explain(jnp.asarray(IDS), 1, baselines=jnp.broadcast_to(TABLE[6], (4, 3)))
    np.testing.assert_allclose(pad, row, rtol=1e-6)
    each = method.explain({"ids": IDS}, 1, baselines={"ids": np.full_like(IDS, 6)})
    np.testing.assert_allclose(each, pad, rtol=1e-6)
    assert abs(pad - method.explain(IDS, 1)).max() > 0.01


def test_ids_without_an_embedding_to_name():
    for model in (Nnx(), PerExample(), MODELS["linen"]()):
        with pytest.raises(InputTypeError, match=r"int.*name their embedding with input_layer"):
            Saliency(model).explain(IDS, 1)
