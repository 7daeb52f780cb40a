"""The measured networks as functional Keras models; pictures have their channels last."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from limits.drawn_weights import (
    HEADS,
    WIDTH,
    Array,
    Convolution,
    Dense,
    Layer,
    mlp,
    resnet,
    transformer,
)
from limits.workloads import MODELS
from networks import channels_last, keras_network


def build(letter: str) -> Any:
    """Builds a model."""
    if letter == "B":
        return keras_network("cnn")
    inputs = keras.Input(channels_last(MODELS[letter].shape))
    if letter == "C":
        return keras.Model(inputs, _resnet(inputs, MODELS[letter].classes))
    if letter == "D":
        return keras.Model(inputs, _transformer(inputs, MODELS[letter].classes))
    x, (*hidden, last) = inputs, mlp(letter)
    for drawn in hidden:
        x = _dense(drawn, x, "relu")
    return keras.Model(inputs, _dense(last, x))


def native(x: Array) -> Any:
    """Turns samples, channels first, into what the network takes."""
    return tf.constant(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x)


def _dense(drawn: Dense, x: Any, activation: str | None = None) -> Any:
    layer = keras.layers.Dense(len(drawn[1]), activation)
    found = layer(x)
    layer.set_weights(drawn)
    return found


def _resnet(x: Any, classes: int) -> Any:
    drawn = resnet(classes)
    x = keras.layers.ReLU()(_convolved(drawn.stem, x))
    # "same" pads only on the right here; behind a ReLU zeros are as good as minus infinity.
    x = keras.layers.MaxPooling2D(3, 2)(keras.layers.ZeroPadding2D(1)(x))
    for block in drawn.blocks:
        inside = keras.layers.ReLU()(_convolved(block.first, x))
        passed = x if block.shortcut is None else _convolved(block.shortcut, x)
        x = keras.layers.ReLU()(keras.layers.Add()([_convolved(block.second, inside), passed]))
    return _dense(drawn.head, keras.layers.GlobalAveragePooling2D()(x))


def _convolved(drawn: Convolution, x: Any) -> Any:
    outside, _, size, _ = drawn.kernel.shape
    # With a stride, "same" would not pad both sides alike.
    same = drawn.stride == 1 or size == 1
    layer = keras.layers.Conv2D(outside, size, drawn.stride, "same" if same else "valid")
    found = layer(x if same else keras.layers.ZeroPadding2D(drawn.padding)(x))
    layer.set_weights([drawn.kernel.transpose(2, 3, 1, 0), drawn.bias])
    return found


def _transformer(x: Any, classes: int) -> Any:
    layers, head = transformer(classes)
    for layer in layers:
        x = keras.layers.Add()([x, _attention(layer, _normed(layer.norms[0], x))])
        hidden = _dense(layer.wide, _normed(layer.norms[1], x), "gelu")
        x = keras.layers.Add()([x, _dense(layer.narrow, hidden)])
    return _dense(head, keras.layers.GlobalAveragePooling1D()(x))


def _normed(drawn: Dense, x: Any) -> Any:
    layer = keras.layers.LayerNormalization(epsilon=1e-5)
    found = layer(x)
    layer.set_weights(drawn)
    return found


def _attention(drawn: Layer, x: Any) -> Any:
    layer, size = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS), WIDTH // HEADS
    found = layer(x, x)
    weights: list[Array] = []
    for weight, bias in (drawn.query, drawn.key, drawn.value):
        weights += [weight.reshape(WIDTH, HEADS, size), bias.reshape(HEADS, size)]
    layer.set_weights([*weights, drawn.out[0].reshape(HEADS, size, WIDTH), drawn.out[1]])
    return found
