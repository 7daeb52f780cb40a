"""Streaming statistics over the rows of each sample, folded tile by tile.

Segment ``part * M + sample`` collects the rows of one sample that belong to one part. Counts are
known on the host before a tile runs, so they enter the kernel as planned factors and a kernel never
divides by a count that may be zero.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.intervals import Jumps
from polyattr.sampling.folded import Factors, Folded

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Statistic(ABC):
    """A statistic of what rows add; has no state of its own.

    Attributes:
        counts_each_sample: Whether samples may have different numbers of rows.

    Example:
        >>> from polyattr.sampling import Mean, Statistic, Variance
        >>> [isinstance(made, Statistic) for made in (Mean(), Variance())]
        [True, True]
    """

    counts_each_sample: ClassVar[bool] = True

    @property
    def plain(self) -> Statistic:
        """The same without what only tells of its error."""
        return self

    def told(self, backend: GradBackend, state: tuple[Tensor, ...]) -> Jumps:
        """Returns what `state` (S, ...) tells about the error of sums; nothing by default.

        `backend` supplies the verbs.
        """
        zeros = backend.row_sums(state[0]) * 0
        return Jumps(state[0] * float("nan"), zeros + float("nan"), zeros + float("nan"))

    @abstractmethod
    def plan(self, segment: Array, valid: Array, seen: Array) -> Factors:
        """Plans factors from `segment` and `valid` (T, R), after `seen` (S,) rows per segment."""

    @abstractmethod
    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """Makes the state of `size` segments with the verbs of `backend`, for rows `like` (R, ...).

        Returns:
            Tensors (S, ...).
        """

    @abstractmethod
    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, folded: Folded
    ) -> tuple[Tensor, ...]:
        """Folds the rows of one tile into the state; runs inside the kernel.

        Args:
            backend: Supplies the verbs.
            state: Tensors (S, ...) from `start`, or from the tile before.
            rows: (R, ...) what the rows add.
            folded: Where, and with what weight.

        Returns:
            The new state, (S, ...) each.
        """

    @abstractmethod
    def combine(
        self, backend: GradBackend, state: tuple[Tensor, ...], weights: Array, counts: Array
    ) -> Tensor:
        """Returns the statistic (M, ...) of the parts together.

        Args:
            backend: Supplies the verbs.
            state: What the last `update` returned, (S, ...) each.
            weights: (G,) of the parts, or (M, G) where samples differ.
            counts: (G,) rows in each part, or (G, M) where samples differ.
        """


def _no_factors(segment: Array) -> Factors:
    tiles, rows = segment.shape
    return Factors(
        np.zeros((tiles, 0, rows), int), np.zeros((tiles, 0, rows)), np.zeros((tiles, 0, 0))
    )


@dataclass(frozen=True)
class Mean(Statistic):
    """Weighted sums; the recipe's weights make a mean of them.

    Example:
        >>> from polyattr.sampling import Mean
        >>> Mean() == Mean()
        True
    """

    def plan(self, segment: Array, valid: Array, seen: Array) -> Factors:
        """Needs nothing beyond the weights."""
        return _no_factors(segment)

    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """One running sum."""
        shape = (size, *like.shape[1:])
        return (backend.zeros(shape, like, backend.accumulator_dtype(like)),)

    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, folded: Folded
    ) -> tuple[Tensor, ...]:
        """Adds weight times row."""
        weight = backend.column(backend.cast(folded.weight, backend.dtype(rows)), rows)
        return (folded.added(backend, state[0], rows, weight),)

    def combine(
        self, backend: GradBackend, state: tuple[Tensor, ...], weights: Array, counts: Array
    ) -> Tensor:
        """W . parts."""
        if weights.ndim == 2:
            return _gathered(backend, state[0], weights)
        parts = _split(state[0], weights.shape[-1])
        terms = [
            part if w == 1 else part * float(w)
            for part, w in zip(parts, weights, strict=True)
            if w != 0
        ]
        return sum(terms[1:], start=terms[0])


@dataclass(frozen=True)
class Variance(Statistic):
    """The unbiased variance, by merging means and squared deviations tile by tile.

    The pairwise merge of Chan, Golub & LeVeque (1979) has no cancellation: the result is a sum of
    squares, 0 to rounding where all rows are equal, and never negative.

    Example:
        >>> from polyattr.sampling import Mean, Variance
        >>> Variance() == Mean()
        False
    """

    def plan(self, segment: Array, valid: Array, seen: Array) -> Factors:
        """Plans the factors of the merge: they depend on counts alone."""
        size = len(seen)
        counts = np.stack([np.bincount(s, v, size) for s, v in zip(segment, valid, strict=True)])
        before = seen + np.cumsum(counts, axis=0) - counts
        after = np.maximum(before + counts, 1)
        share = valid / np.maximum(np.take_along_axis(counts, segment, axis=1), 1)
        pairs = zip(segment, valid, strict=True)
        first = np.stack([_first_of_segment(s, v, size) for s, v in pairs])
        leads = (first == np.arange(segment.shape[1])) * valid
        return Factors(
            first[:, None],
            np.stack([leads, share], axis=1),
            np.stack([counts / after, before * counts / after], axis=1),
        )

    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """A running mean and a running sum of squared deviations."""
        return Mean().start(backend, like, size) + Mean().start(backend, like, size)

    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, folded: Folded
    ) -> tuple[Tensor, ...]:
        """Merges the tile's own mean and squared deviations into the running ones."""
        mean, squares = state
        dtype = backend.dtype(rows)
        (first,), (leads, share), (gain, cross) = folded.whole, folded.real, folded.segments

        def factor(values: Tensor, like: Tensor) -> Tensor:
            return backend.column(backend.cast(values, dtype), like)

        def folded_rows(values: Tensor) -> Tensor:
            zeros = backend.zeros(tuple(mean.shape), mean, dtype)
            return backend.fold(zeros, folded.segment, values)

        # Deviations from the segment's first row keep equal gradients exactly equal.
        deviation = (rows - backend.batch(rows, first)) * factor(folded.valid, rows)
        shift = folded_rows(deviation * factor(share, rows))
        centred = (deviation - backend.batch(shift, folded.segment)) ** 2
        tile_mean = folded_rows(rows * factor(leads, rows)) + shift
        delta = tile_mean - mean
        tile_squares = folded_rows(centred * factor(folded.valid, rows))
        squares = squares + tile_squares + delta * delta * factor(cross, mean)
        return mean + delta * factor(gain, mean), squares

    def combine(
        self, backend: GradBackend, state: tuple[Tensor, ...], weights: Array, counts: Array
    ) -> Tensor:
        """The variance of all rows of the parts that have a weight."""
        dtype = backend.dtype(state[0])

        def times(tensor: Tensor, factor: Array) -> Tensor:
            if not factor.ndim:
                return tensor * float(factor)
            native = backend.to_native(factor.copy(), tensor, dtype)
            return tensor * backend.column(native, tensor)

        used = counts * (weights.T != 0)
        chosen = [int(g) for g in np.flatnonzero(used.reshape(len(used), -1).any(axis=1))]
        means, squares = (_split(part, len(counts)) for part in state)
        mean, total, seen = means[chosen[0]], squares[chosen[0]], np.asarray(used[chosen[0]])
        for g in chosen[1:]:
            n = np.asarray(used[g])
            both = np.maximum(seen + n, 1)
            delta = means[g] - mean
            # A sample whose weight of this part is 0 has nothing of it.
            own = squares[g] if (n > 0).all() else times(squares[g], np.sign(n))
            total = total + own + times(delta * delta, seen * n / both)
            mean, seen = mean + times(delta, n / both), seen + n
        return times(total, 1 / np.maximum(seen - 1, 1))


_TOGETHER = 1024
"""Most sums that are gathered at a time, where samples weigh them differently."""


def _gathered(backend: GradBackend, state: Tensor, weights: Array) -> Tensor:
    """Returns W . parts (M, ...) where `weights` (M, G) differ from sample to sample."""
    m, dtype = len(weights), backend.dtype(state)
    total = backend.zeros((m, *state.shape[1:]), state, dtype)
    sample, part = np.nonzero(weights)
    # A power of two of them at a time: few shapes, so that little is compiled.
    size = min(_TOGETHER, 1 << max(0, len(sample) - 1).bit_length())
    short = -len(sample) % size
    real = np.pad(weights[sample, part], (0, short))
    index = np.pad(np.stack([part * m + sample, sample]), ((0, 0), (0, short))).astype(np.int32)
    for first in range(0, len(real), size):
        chunk = slice(first, first + size)
        place, own = (backend.to_native(row[chunk].copy(), state) for row in index)
        rows = backend.batch(state, place)
        weight = backend.to_native(real[chunk].copy(), state, dtype)
        total = backend.fold(total, own, rows * backend.column(weight, rows))
    return total


def _split(total: Tensor, groups: int) -> list[Tensor]:
    size = total.shape[0] // groups
    return [total] if groups == 1 else [total[g * size : (g + 1) * size] for g in range(groups)]


def _first_of_segment(segment: Array, valid: Array, size: int) -> Array:
    """Returns for each row of a tile the first valid row of the same segment, or itself."""
    rows, there = np.arange(len(segment)), valid > 0
    found = np.full(size, len(rows))
    np.minimum.at(found, segment[there], rows[there])
    return np.where(found[segment] < len(rows), found[segment], rows)
