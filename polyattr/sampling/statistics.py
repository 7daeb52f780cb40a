"""Streaming statistics over the points of each sample, folded tile by tile.

Segment ``group * M + sample`` collects the rows of one sample that belong to one group. Counts are
known on the host before the first gradient, so they enter the kernel as planned factors and a
kernel never divides by a count that may be zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.points import Columns

HostColumns = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Estimate:
    """What a finished accumulator knows about one input.

    Attributes:
        value: (M, ...) the statistic, in the accumulator's dtype.
        squared_error: (M, ...) estimated variance of `value`, or None with fewer than two groups.
    """

    value: Tensor
    squared_error: Tensor | None


class Accumulator(ABC):
    """A statistic of the rows' gradients; has no state of its own."""

    @abstractmethod
    def plan(self, segment: np.ndarray[Any, Any], rows: HostColumns, size: int) -> HostColumns:
        """Plans further columns from the (T, R) segments and row columns of all tiles."""

    @abstractmethod
    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """Makes the state of `size` segments for gradients shaped like (R, ...)."""

    @abstractmethod
    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, columns: Columns
    ) -> tuple[Tensor, ...]:
        """Folds the rows of one tile into the state; runs inside the kernel."""

    @abstractmethod
    def finish(self, state: tuple[Tensor, ...], shares: np.ndarray[Any, Any]) -> Estimate:
        """Combines the groups.

        Args:
            state: What the last `update` returned.
            shares: (G,) number of points in each group.
        """


class Mean(Accumulator):
    """The weighted mean."""

    def plan(self, segment: np.ndarray[Any, Any], rows: HostColumns, size: int) -> HostColumns:
        """Needs nothing beyond the weights."""
        return {}

    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """One running sum."""
        shape = (size, *like.shape[1:])
        return (backend.zeros(shape, like, backend.accumulator_dtype(like)),)

    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, columns: Columns
    ) -> tuple[Tensor, ...]:
        """Adds weight times row."""
        weight = backend.column(backend.cast(columns["weight"], backend.dtype(rows)), rows)
        return (backend.fold(state[0], columns["segment"], rows * weight),)

    def finish(self, state: tuple[Tensor, ...], shares: np.ndarray[Any, Any]) -> Estimate:
        """Sums the groups; their spread gives the error of the mean (batch means)."""
        parts = _split(state[0], len(shares))
        value = sum(parts[1:], start=parts[0])
        if len(parts) == 1:
            return Estimate(value, None)
        fractions = shares / shares.sum()
        spread = [
            (part * (1 / q) - value) ** 2 * q
            for part, q in zip(parts, fractions.tolist(), strict=True)
        ]
        return Estimate(value, sum(spread[1:], start=spread[0]) * (1 / (len(parts) - 1)))


class Variance(Accumulator):
    """The unbiased variance, by merging means and squared deviations tile by tile.

    The pairwise merge of Chan, Golub & LeVeque (1979) has no cancellation: the result is a sum of
    squares, exactly 0 where all gradients are equal, and never negative.
    """

    def plan(self, segment: np.ndarray[Any, Any], rows: HostColumns, size: int) -> HostColumns:
        """Plans the factors of the merge: they depend on counts alone."""
        valid = rows["valid"]
        counts = np.stack([np.bincount(s, v, size) for s, v in zip(segment, valid, strict=True)])
        before = np.cumsum(counts, axis=0) - counts
        after = np.maximum(before + counts, 1)
        share = valid / np.maximum(np.take_along_axis(counts, segment, axis=1), 1)
        first = np.stack([_first_of_segment(s, v) for s, v in zip(segment, valid, strict=True)])
        leads = (first == np.arange(segment.shape[1])) * valid
        return {
            "first": first,
            "leads": leads,
            "share": share,
            "gain": counts / after,
            "cross": before * counts / after,
        }

    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """A running mean and a running sum of squared deviations."""
        return Mean().start(backend, like, size) + Mean().start(backend, like, size)

    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, columns: Columns
    ) -> tuple[Tensor, ...]:
        """Merges the tile's own mean and squared deviations into the running ones."""
        mean, squares = state
        dtype = backend.dtype(rows)

        def factor(name: str, like: Tensor) -> Tensor:
            return backend.column(backend.cast(columns[name], dtype), like)

        def folded(values: Tensor) -> Tensor:
            zeros = backend.zeros(tuple(mean.shape), mean, dtype)
            return backend.fold(zeros, columns["segment"], values)

        # Deviations from the segment's first row keep equal gradients exactly equal.
        deviation = (rows - backend.batch(rows, columns["first"])) * factor("valid", rows)
        shift = folded(deviation * factor("share", rows))
        centred = (deviation - backend.batch(shift, columns["segment"])) ** 2
        tile_mean = folded(rows * factor("leads", rows)) + shift
        delta = tile_mean - mean
        tile_squares = folded(centred * factor("valid", rows))
        squares = squares + tile_squares + delta * delta * factor("cross", mean)
        return mean + delta * factor("gain", mean), squares

    def finish(self, state: tuple[Tensor, ...], shares: np.ndarray[Any, Any]) -> Estimate:
        """Merges the groups; the spread of their own variances gives the error."""
        means, squares = (_split(part, len(shares)) for part in state)
        counts = [float(n) for n in shares]
        mean, total, seen = means[0], squares[0], counts[0]
        for m, s, n in zip(means[1:], squares[1:], counts[1:], strict=True):
            delta = m - mean
            total = total + s + delta * delta * (seen * n / (seen + n))
            mean, seen = mean + delta * (n / (seen + n)), seen + n
        value = total * (1 / (seen - 1))
        if len(means) == 1:
            return Estimate(value, None)
        spread = [
            (s * (1 / (n - 1)) - value) ** 2 * (n / seen)
            for s, n in zip(squares, counts, strict=True)
        ]
        return Estimate(value, sum(spread[1:], start=spread[0]) * (1 / (len(means) - 1)))


def _split(total: Tensor, groups: int) -> list[Tensor]:
    size = total.shape[0] // groups
    return [total[g * size : (g + 1) * size] for g in range(groups)]


def _first_of_segment(
    segment: np.ndarray[Any, Any], valid: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Returns for each row of a tile the first valid row of the same segment, or itself."""
    rows = np.arange(len(segment))
    found = {int(segment[r]): int(r) for r in rows[::-1] if valid[r]}
    return np.array([found.get(int(s), r) for r, s in zip(rows, segment, strict=True)])
