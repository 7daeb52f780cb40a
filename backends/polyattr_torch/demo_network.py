"""The demo network in PyTorch."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Parametrised: TypeAlias = nn.Conv2d | nn.Linear


def build(weights: Mapping[str, np.ndarray]) -> nn.Sequential:
    """Builds the digit network of `polyattr demo` with the given weights.

    The arrays of the weights file have PyTorch's layout and are used as they are.

    Args:
        weights: `<layer>.weight` and `<layer>.bias` for conv1, conv2, conv3 (out, in, height,
            width) and logits (out, in); float32 or float64.

    Returns:
        A model in inference mode that maps images (N, 28, 28) to class probabilities (N, 10). Its
        layer "logits" gives the scores before the softmax, (N, 10).
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        channel=nn.Unflatten(1, (1, 28)),
        conv1=_convolution(weights, "conv1", padding=2),
        relu1=nn.ReLU(),
        pool1=nn.AvgPool2d(2),
        conv2=_convolution(weights, "conv2", padding=1),
        relu2=nn.ReLU(),
        pool2=nn.AvgPool2d(2),
        conv3=_convolution(weights, "conv3", padding=0),
        relu3=nn.ReLU(),
        flat=nn.Flatten(),
        logits=_dense(weights, "logits"),
        probabilities=nn.Softmax(dim=1),
    )
    return nn.Sequential(layers).eval()


def _convolution(weights: Mapping[str, np.ndarray], name: str, padding: int) -> Parametrised:
    outputs, inputs, height, width = weights[f"{name}.weight"].shape
    layer = nn.Conv2d(inputs, outputs, (height, width), padding=padding, device="meta")
    return _fill(layer, weights, name)


def _dense(weights: Mapping[str, np.ndarray], name: str) -> Parametrised:
    outputs, inputs = weights[f"{name}.weight"].shape
    return _fill(nn.Linear(inputs, outputs, device="meta"), weights, name)


def _fill(layer: Parametrised, weights: Mapping[str, np.ndarray], name: str) -> Parametrised:
    # Layers come from the meta device, so that no initialiser draws from the global generator.
    # from_numpy shares memory, and the parameter would alias the caller's array: copy.
    layer.weight = nn.Parameter(torch.from_numpy(np.array(weights[f"{name}.weight"])))
    layer.bias = nn.Parameter(torch.from_numpy(np.array(weights[f"{name}.bias"])))
    return layer
