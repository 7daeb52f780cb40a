"""The demo network in Keras 3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np

from polyattr.backend import PolyattrError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def build(weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Builds the digit network of `polyattr demo` with the given weights.

    The weights file has PyTorch's layout, channels first. Keras keeps channels last, so kernels
    are transposed, and the dense layer's rows are put in the order a channels-last flatten gives.

    Args:
        weights: `<layer>.weight` and `<layer>.bias` for conv1, conv2, conv3 (out, in, height,
            width) and logits (out, in); float32 or float64, which is also the model's dtype.

    Returns:
        A functional model that maps images (N, 28, 28) to class probabilities (N, 10). Its layer
        "logits" gives the scores before the softmax, (N, 10).

    Raises:
        PolyattrError: Keras computes with another framework than TensorFlow.
    """
    if keras.config.backend() != "tensorflow":
        raise PolyattrError(
            "Keras is set to compute with another framework, so its models are not "
            "TensorFlow's; set KERAS_BACKEND=tensorflow before Keras is imported"
        )
    dtype = str(weights["logits.bias"].dtype)
    images = x = keras.Input((28, 28), name="images", dtype=dtype)
    channels = [len(weights[f"conv{i}.bias"]) for i in (1, 2, 3)]
    for layer in _layers(channels, dtype):
        x = layer(x)
    model = keras.Model(images, x, name="polyattr_demo")
    for name in ("conv1", "conv2", "conv3"):
        kernel = np.transpose(weights[f"{name}.weight"], (2, 3, 1, 0))
        model.get_layer(name).set_weights([kernel, weights[f"{name}.bias"]])
    places = model.get_layer("relu3").output.shape[1:]
    dense = _channels_last_rows(weights["logits.weight"], places)
    model.get_layer("logits").set_weights([dense, weights["logits.bias"]])
    return model


def _layers(channels: Sequence[int], dtype: str) -> list[keras.Layer]:
    layers = keras.layers
    # Zeros: the default initialiser would draw from Python's global random state.
    drawn = {"kernel_initializer": "zeros", "dtype": dtype}
    return [
        layers.Reshape((28, 28, 1), name="channel", dtype=dtype),
        layers.Conv2D(channels[0], 5, padding="same", name="conv1", **drawn),
        layers.ReLU(name="relu1", dtype=dtype),
        layers.AveragePooling2D(2, name="pool1", dtype=dtype),
        layers.Conv2D(channels[1], 3, padding="same", name="conv2", **drawn),
        layers.ReLU(name="relu2", dtype=dtype),
        layers.AveragePooling2D(2, name="pool2", dtype=dtype),
        layers.Conv2D(channels[2], 3, padding="valid", name="conv3", **drawn),
        layers.ReLU(name="relu3", dtype=dtype),
        layers.Flatten(name="flat", dtype=dtype),
        layers.Dense(10, name="logits", **drawn),
        layers.Softmax(name="probabilities", dtype=dtype),
    ]


def _channels_last_rows(weight: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Turns (out, channel * height * width) into (height * width * channel, out).

    Args:
        weight: Dense weights over a channels-first flatten.
        shape: (height, width, channel) of one flattened sample.
    """
    height, width, channel = shape
    by_place = weight.reshape(len(weight), channel, height, width)
    return np.transpose(by_place, (2, 3, 1, 0)).reshape(-1, len(weight))
