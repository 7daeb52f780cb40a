"""Sums along a path, and how far neighbours on it differ: what a rule's error is told from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.intervals import Jumps
from polyattr.sampling.statistics import Array, Factors, Folded, Mean, Statistic


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
        """Finds each row's neighbour before it, among the tile's rows or as the last one seen.

        Places count the rows of the tile and behind them the last rows of all segments; a single
        tile needs none of these.
        """
        tiles, rows = segment.shape
        before = np.tile(np.arange(rows), (tiles, 1))
        last = np.tile(rows + np.arange(len(seen)), (tiles, 1))
        for tile in range(tiles):
            for row in np.flatnonzero(valid[tile]):
                own = segment[tile, row]
                before[tile, row], last[tile, own] = last[tile, own], row
        whole, none = before[:, None], np.zeros((tiles, 0, rows))
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
            share = backend.cast(table.coarser * folded.valid, dtype)
            coarser = backend.fold(coarser, folded.segment, rows * backend.column(share, rows))
        known = backend.concat([rows, last]) if folded.segments else rows
        jumps = rows - backend.batch(known, folded.whole[0])
        width = backend.cast(table.width * folded.valid, dtype)
        before = bound * 1  # `fold` may write into what it adds to
        moves = backend.row_sums(backend.absolute(jumps)) * width
        bound = backend.fold(bound, folded.segment, moves)
        # In units of the bound: squares of very small and very large jumps do not exist in float32.
        unit = bound + backend.cast(bound == 0, dtype)
        share = width / backend.batch(unit, folded.segment)
        jumps = jumps * backend.column(share, jumps)
        if not folded.segments:
            squares = backend.fold(squares, folded.segment, jumps * jumps)
            return total, coarser, squares, bound, last
        squares = squares * backend.column((before / unit) ** 2, squares)
        squares = backend.fold(squares, folded.segment, jumps * jumps)
        place = backend.cast(folded.segments[0], "int32")
        return total, coarser, squares, bound, backend.batch(known, place)

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
