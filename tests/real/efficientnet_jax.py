"""EfficientNet-Lite0 as a JAX function of images (N, 3, 224, 224)."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from efficientnet_weights import EPSILON, Block, Weights, blocks

Array = jax.Array


def build(weights: Weights) -> Callable[[Array], Array]:
    """Returns the logits (N, 1000) as a function, in the dtype of `weights`."""
    w = {name: jnp.asarray(value) for name, value in weights.items()}
    plan = list(blocks(weights))

    def convolved(x: Array, name: str, stride: int = 1) -> Array:
        kernel = w[f"{name}.weight"]
        return jax.lax.conv_general_dilated(
            x,
            kernel,
            (stride, stride),
            "SAME",
            dimension_numbers=("NCHW", "OIHW", "NCHW"),
            feature_group_count=x.shape[1] // kernel.shape[1],
        )

    def normed(x: Array, name: str) -> Array:
        mean, variance, gain, bias = (
            w[f"{name}.{part}"][:, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / jnp.sqrt(variance + EPSILON) * gain + bias

    def bottleneck(x: Array, block: Block) -> Array:
        h, name = x, block.name
        if block.expands:
            h = jax.nn.relu6(normed(convolved(h, f"{name}._expand_conv"), f"{name}._bn0"))
        h = convolved(h, f"{name}._depthwise_conv", block.stride)
        h = jax.nn.relu6(normed(h, f"{name}._bn1"))
        h = normed(convolved(h, f"{name}._project_conv"), f"{name}._bn2")
        return x + h if block.skips else h

    def network(x: Array) -> Array:
        x = jax.nn.relu6(normed(convolved(x, "_conv_stem", 2), "_bn0"))
        for block in plan:
            x = bottleneck(x, block)
        x = jax.nn.relu6(normed(convolved(x, "_conv_head"), "_bn1"))
        return x.mean((2, 3)) @ w["_fc.weight"].T + w["_fc.bias"]

    return network
