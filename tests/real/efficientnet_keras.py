"""EfficientNet-Lite0 as a Keras 3 model of images (N, 224, 224, 3), on whatever backend runs."""

from __future__ import annotations

from typing import Any

import keras
import keras_float64
from efficientnet_weights import EPSILON, Block, Weights, blocks


class Builder:
    """Adds layers to a graph, each with its trained weights and a dtype policy of its own."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.policy = keras.DTypePolicy(str(weights["_fc.bias"].dtype))
        # Those that round float64 have twins; in float32 all layers are Keras' own.
        self.kinds = keras_float64 if self.policy.name == "float64" else keras.layers

    def build(self) -> keras.Model:
        """Returns the model; it ends in the logits (N, 1000)."""
        inputs = keras.Input((224, 224, 3), dtype=self.policy.compute_dtype)
        x = self.active(self.normed(self.convolved(inputs, "_conv_stem", 2), "_bn0"))
        for block in blocks(self.weights):
            x = self.bottleneck(x, block)
        x = self.active(self.normed(self.convolved(x, "_conv_head"), "_bn1"))
        x = self.kinds.GlobalAveragePooling2D(dtype=self.policy)(x)
        head = [self.weights["_fc.weight"].T, self.weights["_fc.bias"]]
        outputs = self.loaded(self.kinds.Dense(1000, dtype=self.policy), x, head)
        return keras.Model(inputs, outputs)

    def bottleneck(self, x: Any, block: Block) -> Any:
        h, name = x, block.name
        if block.expands:
            h = self.active(self.normed(self.convolved(h, f"{name}._expand_conv"), f"{name}._bn0"))
        h = self.spread(h, f"{name}._depthwise_conv", block.stride)
        h = self.active(self.normed(h, f"{name}._bn1"))
        h = self.normed(self.convolved(h, f"{name}._project_conv"), f"{name}._bn2")
        return keras.layers.Add(dtype=self.policy)([x, h]) if block.skips else h

    def convolved(self, x: Any, name: str, stride: int = 1) -> Any:
        kernel = self.weights[f"{name}.weight"].transpose(2, 3, 1, 0)
        layer = keras.layers.Conv2D(
            kernel.shape[3], kernel.shape[0], stride, "same", use_bias=False, dtype=self.policy
        )
        return self.loaded(layer, x, [kernel])

    def spread(self, x: Any, name: str, stride: int) -> Any:
        kernel = self.weights[f"{name}.weight"].transpose(2, 3, 0, 1)
        layer = keras.layers.DepthwiseConv2D(
            kernel.shape[0], stride, "same", use_bias=False, dtype=self.policy
        )
        return self.loaded(layer, x, [kernel])

    def normed(self, x: Any, name: str) -> Any:
        parts = ("weight", "bias", "running_mean", "running_var")
        layer = self.kinds.BatchNormalization(epsilon=EPSILON, dtype=self.policy)
        return self.loaded(layer, x, [self.weights[f"{name}.{part}"] for part in parts])

    def active(self, x: Any) -> Any:
        return keras.layers.Activation("relu6", dtype=self.policy)(x)

    def loaded(self, layer: Any, x: Any, weights: list[Any]) -> Any:
        outputs = layer(x)
        layer.set_weights(weights)
        return outputs


def build(weights: Weights) -> keras.Model:
    """Returns the model in the dtype of `weights`."""
    return Builder(weights).build()
