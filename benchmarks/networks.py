"""The measured networks in each framework, as its users write them, from the same NumPy weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cells import SHAPES, Array, weights

Weights = Sequence[tuple[Array, Array]]


def torch_network(network: str) -> Any:
    """A `torch.nn.Sequential` in evaluation mode."""
    import torch
    from torch import nn

    layers: list[nn.Module] = []
    for weight, bias in weights(network):
        if weight.ndim == 4:
            layer: Any = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
            layers += [layer, nn.ReLU(), nn.AvgPool2d(2)]
            values = weight
        else:
            layer = nn.Linear(*weight.shape)
            layers += [*([nn.Flatten()] if network == "cnn" else []), layer, nn.ReLU()]
            values = weight.T
        layer.weight.data, layer.bias.data = torch.tensor(values), torch.tensor(bias)
    return nn.Sequential(*layers[:-1]).eval()


def keras_network(network: str) -> Any:
    """A functional `keras.Model`; images are channels last, as Keras on a CPU wants them."""
    import keras

    inputs = x = keras.Input(channels_last(SHAPES[network]))
    drawn = weights(network)
    for weight, bias in drawn:
        if weight.ndim == 4:
            layer = keras.layers.Conv2D(weight.shape[0], 3, padding="same", activation="relu")
            x = keras.layers.AveragePooling2D(2)(layer(x))
            layer.set_weights([weight.transpose(2, 3, 1, 0), bias])
            continue
        if network == "cnn":
            x = keras.layers.Flatten()(keras.layers.Permute((3, 1, 2))(x))
        layer = keras.layers.Dense(len(bias), None if bias is drawn[-1][1] else "relu")
        x = layer(x)
        layer.set_weights([weight, bias])
    return keras.Model(inputs, x)


def jax_network(network: str) -> Callable[[Any], Any]:
    """A function of the samples that holds its weights."""
    import jax
    import jax.numpy as jnp

    *first, (last, last_bias) = [(jnp.asarray(w), jnp.asarray(b)) for w, b in weights(network)]

    def scores(x: Any) -> Any:
        for weight, bias in first:
            if weight.ndim == 4:
                x = jax.lax.conv(x, weight, (1, 1), "SAME") + bias[:, None, None]
                n, channels, height, width = x.shape
                x = jax.nn.relu(x).reshape(n, channels, height // 2, 2, width // 2, 2)
                x = x.mean(axis=(3, 5))
            else:
                x = jax.nn.relu(x @ weight + bias)
        return x.reshape(x.shape[0], -1) @ last + last_bias

    return scores


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Moves the channels of an image's shape to its end."""
    return (*shape[1:], shape[0]) if len(shape) == 3 else shape


def build(framework: str, network: str) -> Any:
    """Builds a network of `cells.SHAPES` in a framework."""
    builders = {"torch": torch_network, "tensorflow": keras_network, "jax": jax_network}
    return builders[framework](network)


def native(framework: str, x: Array) -> Any:
    """Turns samples, (N, ...) channels first, into what the framework's network takes."""
    if framework == "torch":
        import torch

        return torch.from_numpy(x)
    if framework == "tensorflow":
        import tensorflow as tf

        return tf.constant(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x)
    import jax.numpy as jnp

    return jnp.asarray(x)
