"""Sums over a path of one quantity times how far another moves between neighbouring rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.neighbours import rows_before
from polyattr.sampling.folded import Factors, Folded
from polyattr.sampling.recipe import Array
from polyattr.sampling.statistics import Mean


@dataclass(frozen=True)
class Moves(Mean):
    """The sum of slope times move, from rows that bring slopes and then places, (2 R, ...).

    A move leads from the place of a sample's row before to its own, in the order of its rows; the
    slope is the mean of those at both ends, of which the column `last` says in what proportion.
    """

    def plan(self, segment: Array, valid: Array, seen: Array) -> Factors:
        """Finds each row's neighbour before it, among the tile's rows or as the last one seen."""
        # As if there were rows before the first: it moves from zeros, with no weight.
        before, last = rows_before(segment, valid, len(seen))
        none = np.zeros((len(segment), 0, segment.shape[1]))
        return Factors(before[:, None], none, last[:, None].astype(float))

    def start(self, backend: GradBackend, like: Tensor, size: int) -> tuple[Tensor, ...]:
        """The sum, and the last slope and place of every sample."""
        (total,), (slope,), (place,) = (Mean().start(backend, like, size) for _ in range(3))
        return total, slope, place

    def update(
        self, backend: GradBackend, state: tuple[Tensor, ...], rows: Tensor, folded: Folded
    ) -> tuple[Tensor, ...]:
        """Adds slope times move."""
        total, *last = state
        columns: Any = folded.rows
        count = int(rows.shape[0]) // 2
        here = [rows[:count], rows[count:]]
        known = [backend.concat([one, old]) for one, old in zip(here, last, strict=True)]
        slope, place = (backend.batch(one, folded.whole[0]) for one in known)
        share = backend.column(backend.cast(columns.last, backend.dtype(rows)), slope)
        mean = slope * share + here[0] * (1 - share)
        (total,) = super().update(backend, (total,), mean * (here[1] - place), folded)
        newest = backend.cast(folded.segments[0], "int32")
        return total, *(backend.batch(one, newest) for one in known)

    def combine(
        self, backend: GradBackend, state: tuple[Tensor, ...], weights: Array, counts: Array
    ) -> Tensor:
        """W . parts."""
        return super().combine(backend, state[:1], weights, counts)
