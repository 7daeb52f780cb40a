"""Sums along a path, and how far neighbours on it differ: what a rule's error is told from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.intervals import Jumps
from polyattr.sampling.folded import Factors, Folded, in_place
from polyattr.sampling.statistics import Array, Mean, Statistic


@dataclass(frozen=True)
class Neighbours(Mean):
    """Weighted sums whose error is told by the jumps between neighbouring rows of a sample.

    A kink at an unknown place between two nodes at distance h leaves the integral of feature i off
    by at most h |dg_i| / 2, and by h |dg_i| / sqrt(12) in the root mean square: the state holds the
    sums of both over all pairs of neighbours, and the integral by a coarser rule, whose distance
    shows where an integrand is smooth. It needs rows with `width`, in the order of their path, and
    is a `Mean` without.

    Example:
        >>> from polyattr.sampling import Neighbours
        >>> Neighbours().plain
        Mean()
    """

    @property
    def plain(self) -> Statistic:
        """The sums alone."""
        return Mean()

    def plan(self, segment: Array, valid: Array, seen: Array) -> Factors:
        """Finds each row's neighbour before it, where it is not the last one seen in its place.

        A single tile needs none of the rows before it.
        """
        tiles, rows = segment.shape
        none = np.zeros((tiles, 0, rows))
        if in_place(segment, len(seen)):
            return Factors(none.astype(int), none, np.zeros((tiles, 0, 0)))
        before, last = rows_before(segment, valid, len(seen))
        whole = before[:, None]
        if tiles > 1 or seen.any():
            return Factors(whole, none, last[:, None].astype(float))
        # The first row of a segment has no neighbour, and no width.
        return Factors(np.where(whole < rows, whole, 0), none, np.zeros((1, 0, 0)))

    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """The sums by both rules, the squared jumps in units of the bound, the bound, the last."""
        whole = [Mean().start(backend, like, size)[0] for _ in range(4)]
        bound = backend.zeros((size,), like, backend.accumulator_dtype(like))
        return whole[0], whole[1], whole[2], bound, whole[3]

    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, folded: Folded
    ) -> tuple[Tensor, ...]:
        """Adds rows and jumps."""
        total, coarser, squares, bound, last = state
        (total,) = super().update(backend, (total,), rows, folded)
        table, dtype = folded.rows, backend.dtype(rows)
        if table.width is None:
            return total, coarser, squares, bound, last
        if table.coarser is not None:
            share = backend.column(backend.cast(table.coarser * folded.valid, dtype), rows)
            coarser = folded.added(backend, coarser, rows, share)
        before, newest = self._before(backend, rows, last, folded)
        jumps = rows - before
        width = backend.cast(table.width * folded.valid, dtype)
        until = bound * 1  # what is added to may be written into
        moves = backend.row_sums(backend.absolute(jumps))
        bound = folded.added(backend, bound, moves, width)
        # In units of the bound: squares of very small and very large jumps do not exist in float32.
        unit = bound + backend.cast(bound == 0, dtype)
        share = width / (unit if folded.in_place else backend.batch(unit, folded.segment))
        jumps = jumps * backend.column(share, jumps)
        if newest is not None:
            squares = squares * backend.column((until / unit) ** 2, squares)
            last = newest
        squares = folded.added(backend, squares, jumps, jumps)
        return total, coarser, squares, bound, last

    def _before(
        self, backend: GradBackend, rows: Tensor, last: Tensor, folded: Folded
    ) -> tuple[Tensor, Tensor | None]:
        """Returns the row before each (R, ...), and the last ones (S, ...) if more tiles come."""
        if folded.in_place:
            # A model that differentiates itself may write the next gradient where this one is.
            return last, rows * 1
        known = backend.concat([rows, last]) if folded.segments else rows
        before = backend.batch(known, folded.whole[0])
        if not folded.segments:
            return before, None
        return before, backend.batch(known, backend.cast(folded.segments[0], "int32"))

    def combine(
        self, backend: GradBackend, state: tuple[Tensor, ...], weights: Array, counts: Array
    ) -> Tensor:
        """W . parts."""
        return super().combine(backend, state[:1], weights, counts)

    def told(self, backend: GradBackend, state: tuple[Tensor, ...]) -> Jumps:
        """Returns what the state tells about the error of its sums, where there is one part."""
        total, coarser, squares, bound, _ = state
        root = squares**0.5 * backend.column(bound, squares) * float(12**-0.5)
        return Jumps(root, backend.row_sums(backend.absolute(total - coarser)), bound * 0.5)


def rows_before(segment: Array, valid: Array, size: int) -> tuple[Array, Array]:
    """Finds the row before each of a tile's, of the same segment, and the last row of segments.

    Args:
        segment: (T, R) segment of each row.
        valid: (T, R) 1, and 0 for padding.
        size: Number of segments, S.

    Returns:
        (T, R) places of the rows before, of padding its own, and (T, S) places of the last rows.
        Places count the rows of the tile, and behind them the last rows of segments before it.
    """
    tiles, rows = segment.shape
    before = np.tile(np.arange(rows), (tiles, 1))
    last = np.tile(rows + np.arange(size), (tiles, 1))
    tile, row = np.nonzero(valid)
    own = segment[tile, row]
    # Rows of one segment and tile side by side, in their order.
    order = np.argsort(tile * size + own, kind="stable")
    tile, row, own = tile[order], row[order], own[order]
    follows = (np.diff(tile) == 0) & (np.diff(own) == 0)
    first, end = np.append(True, ~follows)[: len(own)], np.append(~follows, True)[: len(own)]
    before[tile, row] = np.where(first, rows + own, np.roll(row, 1))
    last[tile[end], own[end]] = row[end]
    return before, last
