"""The measured networks in PyTorch, as its users write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from limits.drawn_weights import (
    HEADS,
    HIDDEN,
    WIDTH,
    Array,
    Block,
    Convolution,
    Dense,
    Layer,
    mlp,
    resnet,
    transformer,
)
from limits.workloads import MODELS
from networks import torch_network


def build(letter: str) -> nn.Module:
    """Builds a model in evaluation mode."""
    if letter == "B":
        small: nn.Module = torch_network("cnn")
        return small
    if letter == "C":
        return _ResNet(MODELS[letter].classes).eval()
    if letter == "D":
        return _Transformer(MODELS[letter].classes).eval()
    layers: list[nn.Module] = []
    for drawn in mlp(letter):
        layers += [_linear(drawn), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def native(x: Array) -> torch.Tensor:
    """Turns samples, channels first, into what the network takes."""
    return torch.from_numpy(x)


def _fill(parameter: Any, values: Array) -> None:
    parameter.data = torch.tensor(values)


def _linear(drawn: Dense) -> nn.Linear:
    weight, bias = drawn
    layer = nn.Linear(*weight.shape)
    _fill(layer.weight, weight.T)
    _fill(layer.bias, bias)
    return layer


def _convolution(drawn: Convolution) -> nn.Conv2d:
    outside, inside, size, _ = drawn.kernel.shape
    layer = nn.Conv2d(inside, outside, size, drawn.stride, drawn.padding)
    _fill(layer.weight, drawn.kernel)
    _fill(layer.bias, drawn.bias)
    return layer


class _Block(nn.Module):
    def __init__(self, drawn: Block) -> None:
        super().__init__()
        self.first, self.second = _convolution(drawn.first), _convolution(drawn.second)
        self.shortcut = nn.Identity() if drawn.shortcut is None else _convolution(drawn.shortcut)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inside = functional.relu(self.first(x))
        return functional.relu(self.second(inside) + self.shortcut(x))


class _ResNet(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        drawn = resnet(classes)
        self.stem = nn.Sequential(_convolution(drawn.stem), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.blocks = nn.Sequential(*map(_Block, drawn.blocks))
        self.head = _linear(drawn.head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.blocks(self.stem(x)).mean(dim=(2, 3)))
        return scores


class _Transformer(nn.Module):
    def __init__(self, classes: int) -> None:
        super().__init__()
        layers, head = transformer(classes)
        self.layers = nn.Sequential(*map(_layer, layers))
        self.head = _linear(head)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores: torch.Tensor = self.head(self.layers(x).mean(dim=1))
        return scores


def _layer(drawn: Layer) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, HIDDEN, 0.0, activation="gelu", batch_first=True, norm_first=True
    )
    projections = (drawn.query, drawn.key, drawn.value)
    _fill(layer.self_attn.in_proj_weight, np.concatenate([weight.T for weight, _ in projections]))
    _fill(layer.self_attn.in_proj_bias, np.concatenate([bias for _, bias in projections]))
    _fill(layer.self_attn.out_proj.weight, drawn.out[0].T)
    _fill(layer.self_attn.out_proj.bias, drawn.out[1])
    layer.linear1, layer.linear2 = _linear(drawn.wide), _linear(drawn.narrow)
    for norm, (scale, shift) in zip((layer.norm1, layer.norm2), drawn.norms, strict=True):
        _fill(norm.weight, scale)
        _fill(norm.bias, shift)
    return layer
