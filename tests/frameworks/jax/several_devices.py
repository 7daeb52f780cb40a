"""Run in an interpreter of its own, with four devices: models that compute on several of them."""

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

import polyattr

FOUR = Mesh(np.array(jax.devices()), ("d",))
TWO = Mesh(np.array(jax.devices()[:2]), ("d",))
ROWS, COLUMNS = PartitionSpec("d"), PartitionSpec(None, "d")
RNG = np.random.default_rng(1)
W = jnp.asarray(RNG.standard_normal((8, 3)), jnp.float32)
X = RNG.standard_normal((4, 8)).astype(np.float32)
SLOPES = 1 - np.tanh(X) ** 2
EXPECTED = X * SLOPES * np.asarray(W)[:, 1]


def network(x):
    return jnp.tanh(x) @ W


def over_features(x):
    def part(x, w):
        return jax.lax.psum(jnp.tanh(x) @ w, "d")

    mapped = jax.shard_map(
        part, mesh=FOUR, in_specs=(COLUMNS, PartitionSpec("d", None)), out_specs=PartitionSpec()
    )
    return mapped(x, W)


MODELS = {
    "rows": jax.shard_map(network, mesh=TWO, in_specs=ROWS, out_specs=ROWS),
    "the same everywhere": jax.shard_map(
        network, mesh=FOUR, in_specs=PartitionSpec(), out_specs=PartitionSpec()
    ),
    "rows of four": jax.shard_map(network, mesh=FOUR, in_specs=ROWS, out_specs=ROWS),
    "features": over_features,
    "pmap": lambda x: jax.pmap(network, devices=jax.devices()[:2])(x.reshape(2, -1, 8)).reshape(
        -1, 3
    ),
}


def check(found, about):
    np.testing.assert_allclose(found, EXPECTED, rtol=1e-4, atol=1e-6, err_msg=str(about))


assert len(jax.devices()) == 4
for name, model in MODELS.items():
    for given in (X, jnp.asarray(X)):
        np.testing.assert_allclose(model(given), network(X), rtol=1e-5, atol=1e-6)
        check(polyattr.GradientInput(model, backend="jax").explain(given, 1), name)
        targets = np.full(4, 1)
        path = polyattr.IntegratedGradients(model, backend="jax", steps=40, rule="gauss-legendre")
        result = path.attribute(given, targets, baselines=np.zeros(8, np.float32))
        np.testing.assert_allclose(result.completeness_gap, np.zeros(4), atol=1e-5)
spread = jax.device_put(X, NamedSharding(FOUR, ROWS))
check(polyattr.GradientInput(MODELS["features"]).explain(spread, 1), "spread")
# What the user put on a device stays there.
for device in jax.devices():
    found = polyattr.GradientInput(network).explain(jax.device_put(X, device), 1)
    assert found.devices() == {device}, found.devices()
print("done")  # noqa: T201
