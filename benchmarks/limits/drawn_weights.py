"""The weights of the measured networks, drawn with NumPy: the same for all frameworks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Dense = tuple[Array, Array]
"""Weights (inputs, outputs) and biases."""

DENSE = {"A": (784, 512, 512, 10), "T": (100, 64, 2)}
"""Widths of the dense networks."""

STAGES = (32, 64, 128, 256)
"""Channels of the residual network: two blocks each, all but the first stage halve the picture."""

WIDTH, HEADS, LAYERS, HIDDEN = 256, 4, 4, 1024
"""Of the transformer."""


@dataclass(frozen=True)
class Convolution:
    """A convolution that pads by half its kernel; batch normalisation is folded into it.

    Attributes:
        kernel: (outputs, inputs, height, width).
        bias: (outputs,).
        stride: In both directions.
    """

    kernel: Array
    bias: Array
    stride: int

    @property
    def padding(self) -> int:
        """Zeros on each side."""
        return int(self.kernel.shape[2]) // 2


@dataclass(frozen=True)
class Block:
    """A basic residual block: relu(second(relu(first(x))) + shortcut(x)); None passes x on."""

    first: Convolution
    second: Convolution
    shortcut: Convolution | None


@dataclass(frozen=True)
class ResNet:
    """Stem, 3x3 max pooling by two, blocks, mean over the picture, dense head."""

    stem: Convolution
    blocks: Sequence[Block]
    head: Dense


@dataclass(frozen=True)
class Layer:
    """x += attention(norm(x)); x += narrow(gelu(wide(norm(x)))).

    Attributes:
        norms: Scale and shift of both.
        query, key, value, out: Dense, of the attention.
        wide, narrow: Dense.
    """

    norms: tuple[Dense, Dense]
    query: Dense
    key: Dense
    value: Dense
    out: Dense
    wide: Dense
    narrow: Dense


def dense(rng: np.random.Generator, inside: int, outside: int, gain: float = 2.0) -> Dense:
    """Draws a dense layer."""
    spread = np.float32(np.sqrt(gain / inside))
    weight = rng.standard_normal((inside, outside), dtype=np.float32) * spread
    return weight, rng.standard_normal(outside, dtype=np.float32) * np.float32(0.1)


def mlp(letter: str) -> list[Dense]:
    """Draws the layers of a dense network."""
    rng = np.random.default_rng(0)
    return [dense(rng, *pair) for pair in itertools.pairwise(DENSE[letter])]


def resnet(classes: int) -> ResNet:
    """Draws the residual network."""
    rng = np.random.default_rng(0)
    stem, inside, blocks = _convolution(rng, 3, STAGES[0], 7, 2), STAGES[0], []
    for stage, outside in enumerate(STAGES):
        for number in range(2):
            stride = 2 if stage and not number else 1
            plain = inside == outside
            blocks.append(
                Block(
                    _convolution(rng, inside, outside, 3, stride),
                    # A small second convolution keeps the scale from growing with the depth.
                    _convolution(rng, outside, outside, 3, 1, gain=0.2),
                    None if plain else _convolution(rng, inside, outside, 1, stride, gain=1.0),
                )
            )
            inside = outside
    return ResNet(stem, blocks, dense(rng, inside, classes, gain=1.0))


def _convolution(
    rng: np.random.Generator, inside: int, outside: int, size: int, stride: int, gain: float = 2.0
) -> Convolution:
    spread = np.float32(np.sqrt(gain / (inside * size * size)))
    kernel = rng.standard_normal((outside, inside, size, size), dtype=np.float32) * spread
    return Convolution(kernel, rng.standard_normal(outside, dtype=np.float32) * 0.1, stride)


def transformer(classes: int) -> tuple[list[Layer], Dense]:
    """Draws the layers and the head of the transformer."""
    rng = np.random.default_rng(0)

    def norm() -> Dense:
        return 1 + 0.1 * rng.standard_normal(WIDTH, dtype=np.float32), np.zeros(WIDTH, np.float32)

    layers = [
        Layer(
            (norm(), norm()),
            dense(rng, WIDTH, WIDTH, gain=1.0),
            dense(rng, WIDTH, WIDTH, gain=1.0),
            dense(rng, WIDTH, WIDTH, gain=1.0),
            dense(rng, WIDTH, WIDTH, gain=1.0),
            dense(rng, WIDTH, HIDDEN),
            dense(rng, HIDDEN, WIDTH, gain=0.2),
        )
        for _ in range(LAYERS)
    ]
    return layers, dense(rng, WIDTH, classes, gain=1.0)
