"""What is measured: networks, numbers of samples, methods; and the networks' weights."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]

FRAMEWORKS = ("torch", "tensorflow", "jax")
# One of each kind of table of rows; what a method does besides costs nothing beside a gradient.
METHODS: dict[str, dict[str, int]] = {
    "GradientInput": {},
    "IntegratedGradients": {"steps": 50},
    "SmoothGrad": {"nb_samples": 50},
}
"""The methods and the arguments they are made with."""

SHAPES: dict[str, tuple[int, ...]] = {"mlp": (784,), "cnn": (3, 32, 32)}
"""The shape of one sample of each network, channels first."""

WIDTHS = (784, 512, 512, 10)
CHANNELS = (3, 16, 32)
CLASSES = 10


@dataclass(frozen=True)
class Cell:
    """One thing that is measured: a method on a number of samples of a network."""

    network: str
    samples: int
    method: str

    def __str__(self) -> str:
        return f"{self.network} N={self.samples} {self.method}"


CELLS = tuple(
    Cell(network, samples, method)
    for (network, samples), method in itertools.product(
        (("mlp", 1), ("mlp", 32), ("cnn", 8)), METHODS
    )
)


def inputs(cell: Cell) -> Array:
    """Draws the samples of a cell, (N, ...) in [0, 1), always the same."""
    return np.random.default_rng(1).random((cell.samples, *SHAPES[cell.network]), dtype=np.float32)


def targets(cell: Cell) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Returns the class to explain of each sample, (N,)."""
    return np.arange(cell.samples) % CLASSES


def weights(network: str) -> list[tuple[Array, Array]]:
    """Draws a network's weights, (inputs, outputs) or (outputs, inputs, 3, 3), and its biases.

    The CNN has two 3x3 convolutions over `CHANNELS` that keep the size, each with ReLU and 2x2
    average pooling, and a dense layer on the flattened channels-first result.
    """
    rng = np.random.default_rng(0)
    dense = [(one, other) for one, other in itertools.pairwise(WIDTHS)]
    kernels: list[tuple[int, ...]] = []
    if network == "cnn":
        kernels = [(outer, inner, 3, 3) for inner, outer in itertools.pairwise(CHANNELS)]
        dense = [(CHANNELS[-1] * 8 * 8, CLASSES)]
    drawn = []
    for shape in [*kernels, *dense]:
        fan_in = np.prod(shape[1:]) if len(shape) == 4 else shape[0]
        outputs = shape[0] if len(shape) == 4 else shape[1]
        spread = np.float32(np.sqrt(2 / fan_in))
        weight = rng.standard_normal(shape, dtype=np.float32) * spread
        drawn.append((weight, rng.standard_normal(outputs, dtype=np.float32) * np.float32(0.1)))
    return drawn
