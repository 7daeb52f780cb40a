"""The domain of trend, season and rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import axes_of, check_axes
from polyattr.domains.domain import Domain
from polyattr.question.checks import check_count

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class TrendSeason(Domain):
    """A series as the sum of trend, season and rest, each with a value at every time.

    The trend is the mean over one period around each time, the season the mean of what that leaves
    at the same place of every period. z has an axis of 3 before that of time, (N, 3, T): what each
    part adds to the score, when. Paths between series are the straight ones of the inputs.

    Attributes:
        period: Steps of time in one season.
        axis: Which axis of the inputs is time, counted with the first, which counts samples.

    Raises:
        InputError: A period below 2, or no such axis.
        InputTypeError: No whole numbers.

    Example:
        >>> import polyattr, torch
        >>> parts = polyattr.domains.TrendSeason(period=2)
        >>> method = polyattr.GradientInput(lambda x: x.sum(1), domain=parts)
        >>> method.explain(torch.tensor([[1.0, 3.0, 1.0, 3.0]])).shape
        torch.Size([1, 3, 4])
    """

    period: int
    axis: int = -1

    def __post_init__(self) -> None:
        check_count("period", self.period, 2)
        check_axes("axis", (self.axis,))

    def forward(self, backend: GradBackend, x: Tensor) -> Tensor:
        """Trend, season and rest, one after the other on an axis of their own."""
        (axis,) = axes_of("axis", (self.axis,), len(x.shape))
        size, wide = int(x.shape[axis]), backend.accumulator_dtype(x)
        trend = _trend(size, self.period)
        season = _season(size, self.period) @ (np.eye(size) - trend)
        parts = np.concatenate([trend, season, np.eye(size) - trend - season])
        z = backend.along(backend.cast(x, wide), parts, axis)
        shape = (*x.shape[:axis], 3, size, *x.shape[axis + 1 :])
        return backend.cast(backend.reshape(z, shape), backend.dtype(x))

    def inverse(self, backend: GradBackend, z: Tensor) -> Tensor:
        """The sum of the three."""
        rank = len(z.shape) - 1
        (axis,) = axes_of("axis", (self.axis,), rank)
        wide = backend.accumulator_dtype(z)
        found = backend.along(backend.cast(z, wide), np.ones((1, 3)), axis)
        whole = backend.reshape(found, (*z.shape[:axis], *z.shape[axis + 1 :]))
        return backend.cast(whole, backend.dtype(z))


def _trend(size: int, period: int) -> Array:
    """The mean over one period around each time; at the ends over what there is of it."""
    apart = np.abs(np.arange(size)[:, None] - np.arange(size))
    # Of an even period the two ends count half: together they are one period long.
    weights = (apart < period / 2).astype(float) + 0.5 * (apart == period / 2)
    trend: Array = weights / weights.sum(axis=1, keepdims=True)
    return trend


def _season(size: int, period: int) -> Array:
    """The mean over the same place of all periods."""
    place = np.arange(size) % period
    same = (place[:, None] == place).astype(float)
    season: Array = same / same.sum(axis=1, keepdims=True)
    return season
