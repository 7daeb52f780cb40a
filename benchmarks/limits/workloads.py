"""What is measured against the limit: models, numbers of samples, methods; inputs and targets."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]
Settings = dict[str, int]

METHODS: dict[str, Settings] = {
    "GradientInput": {},
    "IntegratedGradients": {"steps": 50},
    "SmoothGrad": {"nb_samples": 50},
}
"""The methods and the arguments they are made with."""

INITIALS = {"GradientInput": "G", "IntegratedGradients": "IG", "SmoothGrad": "SG"}
"""What a method is called where there is little room."""

TABLE_STEPS = 32


@dataclass(frozen=True)
class Model:
    """A network that is measured.

    Attributes:
        letter: Its name on the command line.
        title: What tables call it.
        shape: That of one sample, channels first.
        classes: Number of scores.
        samples: How many are explained at once.
        tiles: Rows per call that the bare gradient is tried with.
        row_mib: About what a row takes while its gradient is computed: calls that would not fit
            into memory are left out.
        methods: Those it is measured with.
    """

    letter: str
    title: str
    shape: tuple[int, ...]
    classes: int
    samples: tuple[int, ...]
    tiles: tuple[int, ...]
    row_mib: float
    methods: dict[str, Settings] = field(default_factory=lambda: METHODS)

    @property
    def elements(self) -> int:
        """Numbers in a sample."""
        return int(np.prod(self.shape))


_SMALL_TILES = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 4096)
_TABLE: dict[str, Settings] = {"IntegratedGradients": {"steps": TABLE_STEPS}}

MODELS = {
    model.letter: model
    for model in (
        Model("A", "MLP 784-512-512-10", (784,), 10, (1, 8, 32, 1000), _SMALL_TILES, 0.02),
        Model("B", "CNN, 3x32x32", (3, 32, 32), 10, (1, 8, 32), _SMALL_TILES[:-1], 0.5),
        Model("C", "ResNet-18 of half width, 3x224x224", (3, 224, 224), 1000, (1, 4),
              (1, 2, 4, 8, 16, 32), 16),
        Model("D", "transformer, 4 x 256, 64 tokens", (64, 256), 10, (8,),
              (1, 4, 8, 16, 32, 64, 128), 8),
        Model("T", "table, MLP 100-64-2", (100,), 2, (20_000,),
              (64, 256, 512, 1024, 2048, 4096, 16_384), 0.002, _TABLE),
    )
}  # fmt: skip
"""All models by their letter."""


@dataclass(frozen=True)
class Cell:
    """One thing that is measured: a method on a number of samples of a model.

    Attributes:
        model: Its letter.
        samples: N.
        method: Its name.
        steps: Instead of the usual number of steps.
    """

    model: str
    samples: int
    method: str
    steps: int | None = None

    def __str__(self) -> str:
        steps = "" if self.steps is None else f" steps={self.steps}"
        return f"{self.model} N={self.samples} {self.method}{steps}"

    @property
    def settings(self) -> Settings:
        """The arguments of the method."""
        return (
            MODELS[self.model].methods[self.method] if self.steps is None else {"steps": self.steps}
        )


def cells(letters: Sequence[str], methods: Sequence[str], samples: Sequence[int]) -> list[Cell]:
    """Returns the cells of the models; without numbers of samples those of each model."""
    return list(_cells(letters, methods, samples))


def _cells(
    letters: Sequence[str], methods: Sequence[str], samples: Sequence[int]
) -> Iterator[Cell]:
    for letter in letters:
        model = MODELS[letter]
        for n, method in itertools.product(samples or model.samples, methods):
            if method in model.methods:
                yield Cell(letter, n, method)


def inputs(letter: str, samples: int) -> Array:
    """Draws samples, (N, ...) in [0, 1), always the same."""
    shape = (samples, *MODELS[letter].shape)
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def targets(letter: str, samples: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Returns the class to explain of each sample, (N,)."""
    return np.arange(samples) % MODELS[letter].classes
