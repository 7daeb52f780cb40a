"""Sizes of maps and of their errors, whatever their scale: nothing under- or overflows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.recipe import Norm, Weights

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


def relative_error(
    backend: GradBackend, errors: Sequence[Tensor], values: Sequence[Tensor]
) -> Array:
    """Returns the expected L1 error of each map (N,) over its L1 norm, on the host.

    Of a normal error with the standard deviations `errors` (N, ...) per input, the expected
    magnitude is sqrt(2 / pi) of them; `values` (N, ...) are the map.
    """

    def sizes(leaves: Sequence[Tensor]) -> Array:
        each = [backend.to_numpy(backend.row_sums(backend.absolute(leaf))) for leaf in leaves]
        return np.asarray(np.sum(each, axis=0, dtype=np.float64))

    error, size = sizes(errors), sizes(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, np.sqrt(2 / np.pi) * error / size)


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


@dataclass(frozen=True)
class Sizes(Norm):
    """Tells a recipe between rounds how large maps are, and how far off; waits for the device.

    Attributes:
        backend: The framework.
        live: Samples that are asked about, the first ones.
        values: Makes the attributions (M, ...) per input of weights.
        errors: Makes their standard errors (M, ...); None where the weights tell none.
    """

    backend: GradBackend
    live: int
    values: Callable[[Array], list[Tensor]]
    errors: Callable[[Weights, list[Tensor]], list[Tensor] | None]

    def __call__(self, weights: Array) -> Array:
        """The Euclidean norm of each sample's attributions (N,) with `weights` (N, G)."""
        return norms(self.backend, self.values(weights))[: self.live]

    def error(self, weights: Weights) -> Array:
        """The relative error of each sample's attributions (N,); NaN where nothing tells it."""
        values = self.values(weights.value)
        errors = self.errors(weights, values)
        if errors is None:
            return np.full(self.live, np.nan)
        return relative_error(self.backend, errors, values)[: self.live]
