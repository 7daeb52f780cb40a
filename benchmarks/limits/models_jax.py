"""The measured networks in JAX: functions of the samples that hold their weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import jax
import jax.numpy as jnp

from limits.drawn_weights import (
    HEADS,
    WIDTH,
    Array,
    Block,
    Convolution,
    Dense,
    Layer,
    ResNet,
    mlp,
    resnet,
    transformer,
)
from limits.workloads import MODELS
from networks import jax_network

# So that one call moves all weights to the device.
for _kind, _fixed in ((Convolution, ["stride"]), (Block, []), (ResNet, []), (Layer, [])):
    _varying = [entry.name for entry in fields(_kind) if entry.name not in _fixed]
    jax.tree_util.register_dataclass(_kind, _varying, _fixed)


def build(letter: str) -> Callable[[Any], Any]:
    """Builds a model."""
    if letter == "B":
        return jax_network("cnn")
    if letter == "C":
        return _resnet(MODELS[letter].classes)
    if letter == "D":
        return _transformer(MODELS[letter].classes)
    layers = jax.tree.map(jnp.asarray, mlp(letter))

    def scores(x: Any) -> Any:
        for weight, bias in layers[:-1]:
            x = jax.nn.relu(x @ weight + bias)
        return _dense(layers[-1], x)

    return scores


def native(x: Array) -> Any:
    """Turns samples, channels first, into what the network takes."""
    return jnp.asarray(x)


def _dense(layer: Dense, x: Any) -> Any:
    weight, bias = layer
    return x @ weight + bias


def _resnet(classes: int) -> Callable[[Any], Any]:
    drawn = jax.tree.map(jnp.asarray, resnet(classes))

    def convolved(layer: Any, x: Any) -> Any:
        sides, stride = (layer.padding, layer.padding), (layer.stride, layer.stride)
        return (
            jax.lax.conv_general_dilated(x, layer.kernel, stride, [sides, sides])
            + layer.bias[:, None, None]
        )

    def scores(x: Any) -> Any:
        x = jax.nn.relu(convolved(drawn.stem, x))
        # Padding counts as minus infinity, as in PyTorch.
        window, stride, pad = (1, 1, 3, 3), (1, 1, 2, 2), ((0, 0), (0, 0), (1, 1), (1, 1))
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, stride, pad)
        for block in drawn.blocks:
            inside = jax.nn.relu(convolved(block.first, x))
            passed = x if block.shortcut is None else convolved(block.shortcut, x)
            x = jax.nn.relu(convolved(block.second, inside) + passed)
        return _dense(drawn.head, x.mean(axis=(2, 3)))

    return scores


def _transformer(classes: int) -> Callable[[Any], Any]:
    layers, head = jax.tree.map(jnp.asarray, transformer(classes))

    def scores(x: Any) -> Any:
        for layer in layers:
            x = x + _attention(layer, _normed(layer.norms[0], x))
            hidden = jax.nn.gelu(_dense(layer.wide, _normed(layer.norms[1], x)), approximate=False)
            x = x + _dense(layer.narrow, hidden)
        return _dense(head, x.mean(axis=1))

    return scores


def _normed(norm: Dense, x: Any) -> Any:
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + 1e-5) * norm[0] + norm[1]


def _attention(layer: Layer, x: Any) -> Any:
    n, tokens, _ = x.shape

    def heads(projection: Dense) -> Any:
        return _dense(projection, x).reshape(n, tokens, HEADS, WIDTH // HEADS)

    mixed = jax.nn.dot_product_attention(*map(heads, (layer.query, layer.key, layer.value)))
    return _dense(layer.out, mixed.reshape(n, tokens, WIDTH))
