"""The demo network as a plain JAX function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np


def build(weights: Mapping[str, np.ndarray]) -> Callable[[jax.Array], jax.Array]:
    """Builds the digit network of `polyattr demo` with the given weights.

    A function has no layers to select, so this one ends at the logits: the softmax of the other
    frameworks' networks is left out. The arrays of the weights file are channels first and are
    used as they are.

    Args:
        weights: `<layer>.weight` and `<layer>.bias` for conv1, conv2, conv3 (out, in, height,
            width) and logits (out, in); float32 or float64.

    Returns:
        A function from images (N, 28, 28) to logits (N, 10).
    """
    held = {name: jnp.asarray(array) for name, array in weights.items()}

    def demo_network(images: jax.Array) -> jax.Array:
        x = images[:, None]
        x = _halve(jax.nn.relu(_convolve(x, held, "conv1", "SAME")))
        x = _halve(jax.nn.relu(_convolve(x, held, "conv2", "SAME")))
        x = jax.nn.relu(_convolve(x, held, "conv3", "VALID"))
        x = x.reshape(x.shape[0], -1)
        return x @ held["logits.weight"].T + held["logits.bias"]

    return demo_network


def _convolve(x: jax.Array, held: Mapping[str, jax.Array], name: str, padding: str) -> jax.Array:
    kernel, bias = held[f"{name}.weight"], held[f"{name}.bias"]
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), padding) + bias[:, None, None]


def _halve(x: jax.Array) -> jax.Array:
    """Averages 2 x 2 places: (N, C, H, W) to (N, C, H / 2, W / 2)."""
    n, channels, height, width = x.shape
    return x.reshape(n, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
