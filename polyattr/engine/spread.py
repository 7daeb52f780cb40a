"""Sizes of maps and of their errors, whatever their scale: nothing under- or overflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor

Array = np.ndarray[Any, Any]


def norms(backend: GradBackend, leaves: Sequence[Tensor]) -> Array:
    """Returns the Euclidean norm over all `leaves` (N, ...) of each sample (N,), on the host.

    Squares of values below 1e-23 or above 1e19 do not exist in float32, so each sample is measured
    in units of its own summed magnitude.
    """
    units = [backend.row_sums(backend.absolute(leaf)) for leaf in leaves]
    unit = sum(units[1:], start=units[0])
    unit = unit + backend.cast(unit == 0, backend.dtype(unit))
    squares = []
    for leaf in leaves:
        own = backend.cast(unit, backend.dtype(leaf))
        scaled = leaf / backend.column(own, leaf)
        squares.append(backend.to_numpy(backend.row_sums(scaled * scaled)))
    size = np.sqrt(np.sum(squares, axis=0, dtype=np.float64))
    whole: Array = size * backend.to_numpy(unit).astype(np.float64)
    return whole


def standard_error(
    backend: GradBackend, value: Tensor, others: Sequence[Tensor], scale: Sequence[float]
) -> Tensor:
    """Returns the root of the sum over k of ``scale[k] * (value - others[k])**2``, (M, ...)."""
    moves = [
        backend.absolute(other - value) * float(np.sqrt(s))
        for other, s in zip(others, scale, strict=True)
    ]
    if len(moves) == 1:
        return moves[0]
    largest = moves[0]
    for move in moves[1:]:
        largest = backend.maximum(largest, move)
    # In units of the largest of them; where that is 0, all are.
    unit = largest + backend.cast(largest == 0, backend.dtype(largest))
    squares = [(move / unit) ** 2 for move in moves]
    return largest * sum(squares[1:], start=squares[0]) ** 0.5
