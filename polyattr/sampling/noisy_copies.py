"""The input with Gaussian noise added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.drawing.enough import FEWEST_DRAWS, GROUPS, enough
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.recipe import Array, Recipe, Rounds, Spot
from polyattr.sampling.rows import Rows
from polyattr.sampling.statistics import Variance


@dataclass(frozen=True)
class NoisyCopies(Recipe):
    """Rows at x + e, e ~ N(0, deviation^2); each part is a group of independent draws.

    Takes the arguments of `Recipe` too.

    Attributes:
        count: Rows per sample, P; the most of them where there is a `tolerance`.
        deviation: Standard deviation in the units of the inputs; or a factor of a distribution's
            draws.
        relative: Whether it is a fraction of each sample's range, the largest minus the smallest
            number of the input.
        antithetic: Use each draw twice, with both signs.
        least: Draws that each group needs.
        tolerance: Relative standard error at which a sample has draws enough; None for `count`.

    Example:
        >>> from polyattr.sampling import NoisyCopies
        >>> NoisyCopies(count=4, deviation=0.5, antithetic=True).table(1).scale
        array([ 0.5, -0.5,  0.5, -0.5])
    """

    sampled: ClassVar[bool] = True
    cure: ClassVar[str] = "leave these samples out, or lower noise if only some copies are affected"
    count: int = 1
    deviation: float = 0.2
    antithetic: bool = False
    least: int = 1
    tolerance: float | None = None
    relative: bool = False

    @property
    def more(self) -> str:  # type: ignore[override]  # depends on what was asked for
        """What to do about an error above the tolerance."""
        return "raise nb_samples" if self.tolerance is None else "raise max_samples"

    @property
    def one_round(self) -> bool:
        """Whether the number of draws is fixed, unless a subclass chooses its rows."""
        return self.tolerance is None and type(self).rounds is NoisyCopies.rounds

    @property
    def repeats(self) -> bool:
        """Whether the number of draws is fixed, unless a subclass has a table of its own."""
        return self.one_round and type(self).table is NoisyCopies.table

    @property
    def parts(self) -> int:
        """Groups of independent draws."""
        if self.tolerance is not None:
            return GROUPS
        return independent_groups(int(self.draw[-1]) + 1, self.least)

    @property
    def draw(self) -> Array:
        """(P,) draw used by each copy; the two of an antithetic pair share one."""
        return np.arange(self.count) // (2 if self.antithetic else 1)

    @property
    def group(self) -> Array:
        """(P,) groups of whole draws: pairs are never split, so groups are independent."""
        groups: Array = self.draw * self.parts // (self.draw[-1] + 1)
        return groups

    def table(self, n: int) -> Rows[Array]:
        """A row per copy; of the first round, where there are several."""
        if self.tolerance is not None:
            return self._numbered(
                np.tile(np.arange(n), FEWEST_DRAWS), np.repeat(np.arange(FEWEST_DRAWS), n)
            )
        sign = np.ones(self.count)
        if self.antithetic:
            sign[1::2] = -1.0
        return Rows.over(
            n,
            weight=np.full(self.count, 1.0 / self.count),
            part=self.group,
            draw=self.draw,
            scale=sign * self.deviation,
        )

    def weights(self) -> Weights:
        """The spread of the groups gives the error of their mean (batch means)."""
        return group_weights(np.bincount(self.group, minlength=self.parts) / self.count)

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """A single round of `count` copies, or as many as are enough."""
        if self.tolerance is None:
            yield self.table(n)
            return self.weights()
        unit = GROUPS * (2 if self.antithetic else 1)
        return (yield from enough(n, norm, self.tolerance, self.count, unit, self._numbered))

    def _numbered(self, sample: Array, number: Array) -> Rows[Array]:
        """Copies with these numbers; pairs follow each other, groups take turns."""
        draw = number // 2 if self.antithetic else number
        odd = number % 2 if self.antithetic else number * 0
        scale = np.where(odd, -self.deviation, self.deviation)
        return Rows(sample, draw % GROUPS, np.ones(len(draw)), draw=draw, scale=scale)

    def at_input(self, rows: Rows[Array]) -> Array:
        """No copy is x itself."""
        return np.zeros(len(rows), dtype=bool)

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """Adds the row's draw."""
        scale: Any = at.rows.scale
        if self.relative:
            scale = scale * backend.cast(extents(backend, at.x), backend.dtype(scale))
        return backend.add_noise(at.x, at.noise, scale), None

    def finish(
        self, backend: GradBackend, statistic: Tensor, x: Tensor, baseline: Tensor | None
    ) -> Tensor:
        """Equal copies have no variance, however a compiler rounds their differences."""
        equal = self.deviation == 0 and isinstance(self.statistic, Variance)
        return statistic * 0 if equal else statistic

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the copy."""
        columns: Any = rows
        draw, scale = int(columns.draw[row]), float(columns.scale[row])
        copy = 2 * draw + (scale < 0) if self.antithetic else draw
        return f"at noisy copy {copy}"


def extents(backend: GradBackend, x: Tensor) -> Tensor:
    """Returns the largest minus the smallest number of each of the samples `x` (R, ...): (R,)."""
    wide = backend.cast(x, backend.accumulator_dtype(x))
    flat = backend.reshape(wide, (x.shape[0], -1))
    return backend.reduce("max", flat) + backend.reduce("max", -flat)


def group_weights(fractions: Array) -> Weights:
    """Weights of independent groups, `fractions` (G,) of all rows: their mean and its spread."""
    if len(fractions) == 1:
        return Weights(np.ones(1))
    groups = len(fractions)
    return Weights(
        np.ones(groups),
        others=tuple(np.eye(groups) / fractions[:, None]),
        scale=tuple((fractions / (groups - 1)).tolist()),
    )


def independent_groups(draws: int, least: int = 1) -> int:
    """Chooses how many groups of at least `least` draws a standard error is taken between.

    See `GROUPS`.
    """
    return max(1, min(GROUPS, draws // least))
