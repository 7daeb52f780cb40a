"""A user's own method, fully typed, on public names: its recipe, its arguments, its paper."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr import Explainer, GradBackend, InputError, Paper, Recipe, Rows, Weights, setting
from polyattr.backend import Tensor
from polyattr.sampling import Spot

Array = np.ndarray[Any, Any]


def positive(name: str, value: Any) -> float:
    """A check: what a setting of an own method may be."""
    if not value > 0:
        raise InputError(f"{name} is {value}; expected more than 0")
    return float(value)


@dataclass(frozen=True)
class Shrunk(Recipe):
    """The gradient at the input times several factors below 1, in two groups."""

    count: int = 4
    factor: float = 1.0

    @property
    def parts(self) -> int:
        return 2

    def table(self, n: int) -> Rows[Array]:
        own = np.arange(self.count)
        weight = np.full(self.count, self.factor / self.count)
        return Rows.over(n, weight=weight, part=own % 2, alpha=(own + 0.5) / self.count)

    def weights(self) -> Weights:
        return Weights(np.ones(2), others=(np.array([2.0, 0.0]),), scale=(1.0,))

    def at_input(self, rows: Rows[Array]) -> Array:
        return np.zeros(len(rows), dtype=bool)

    def describe(self, rows: Rows[Array], row: int) -> str:
        return f"at point {row}"

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        alpha: Any = at.rows.alpha
        return at.x * backend.column(alpha, at.x), None

    def finish(
        self, backend: GradBackend, statistic: Tensor, x: Tensor, baseline: Tensor | None
    ) -> Tensor:
        return statistic * x


class OwnMethod(Explainer):
    """A method written outside: its fields are its arguments."""

    count: int = 4
    factor: float = setting(default=1.0, check=positive)

    paper = Paper(key="doe2026own", authors="Doe, Jane", title="Own", year=2026, arxiv="2601.00001")

    def check(self) -> None:
        if self.count % 2:
            raise InputError(f"count is {self.count}; expected an even number")

    def recipe(self) -> Recipe:
        return Shrunk(count=self.count, factor=self.factor)
