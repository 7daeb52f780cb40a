"""What a statistic plans for tiles, and what it is given of one: the rows and where they belong."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.rows import Rows

Array = np.ndarray[Any, Any]


class Factors(NamedTuple):
    """What a statistic plans for the tiles of a round.

    Attributes:
        whole: (T, a, R) whole numbers per row.
        real: (T, b, R) numbers per row.
        segments: (T, c, S) numbers per segment.
    """

    whole: Array
    real: Array
    segments: Array


class Folded(NamedTuple):
    """One tile's rows on their way into a statistic.

    Attributes:
        segment: (R,) segment of each row.
        weight: (R,) weight of each row, 0 for padding.
        valid: (R,) 1, and 0 for padding.
        whole: The statistic's own whole numbers, (R,) each.
        real: The statistic's own numbers, (R,) each.
        segments: The statistic's own numbers per segment, (S,) each.
        rows: The columns of the recipe's table, (R,) each.
        in_place: Whether row r is of segment r, as many as there are, so that nothing is looked up.
    """

    segment: Tensor
    weight: Tensor
    valid: Tensor
    whole: list[Tensor]
    real: list[Tensor]
    segments: list[Tensor]
    rows: Rows[Tensor]
    in_place: bool = False

    def added(self, backend: GradBackend, total: Tensor, rows: Tensor, factor: Tensor) -> Tensor:
        """Returns `total` (S, ...) with `rows` (R, ...) times `factor`, which broadcasts, added."""
        if self.in_place:
            return backend.add_product(total, rows, factor)
        return backend.fold(total, self.segment, rows * factor)


def in_place(segment: Array, size: int) -> bool:
    """Says whether in every tile row r of `segment` (T, R) is one of segment r, of `size`."""
    return segment.shape[1] == size and bool((segment == np.arange(size)).all())
