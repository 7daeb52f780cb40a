"""The methods on paths that are not straight, in NumPy float64, as their papers loop over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Gradient = Callable[[Array], Array]
"""Maps points (N, ...) to the gradient there (N, ...)."""


def guided(
    gradient: Gradient, x: Array, start: float, steps: int, fraction: float, max_dist: float
) -> Array:
    """Guided Integrated Gradients, sample by sample and group by group.

    Args:
        gradient: That of the score.
        x: (N, ...) samples.
        start: The baseline of all features.
        steps: Points on the path.
        fraction: Of the features in a group.
        max_dist: From the straight path.
    """
    origin = np.full_like(x, start)
    first = origin + (x - origin) * 0.01 / (steps - 1)  # the start is taken from inside
    points, slopes = [origin], [gradient(first)]
    for step in range(1, steps):
        alpha = step / (steps - 1)
        low, high = max(alpha - max_dist, 0.0), min(alpha + max_dist, 1.0)
        moved = [
            _stride(*each, alpha, low, high, fraction)
            for each in zip(points[-1], origin, x, np.abs(slopes[-1]), strict=True)
        ]
        points.append(np.stack(moved))
        slopes.append(gradient(x if step == steps - 1 else points[-1]))
    pairs = zip(points, points[1:], slopes, slopes[1:], strict=False)
    total: Array = np.sum([(after - before) * (a + b) / 2 for before, after, a, b in pairs], axis=0)
    return total


def _stride(
    point: Array,
    origin: Array,
    x: Array,
    size: Array,
    alpha: float,
    low: float,
    high: float,
    fraction: float,
) -> Array:
    """Moves one sample until its L1 distance to `x` is 1 - alpha of the whole."""
    slow, limit = origin * (1 - low) + x * low, origin * (1 - high) + x * high
    point = np.where(np.abs(point - origin) < np.abs(x - origin) * low, slow, point)
    wanted = (1 - alpha) * np.abs(x - origin).sum()
    while (left := np.abs(x - point).sum() - wanted) > 0:
        going = np.abs(limit - point) > 1e-14 * np.abs(x - origin)
        if not going.any():
            break
        keys = np.where(going, size, np.inf)
        chosen = (keys <= np.quantile(keys, fraction, method="lower")) & going
        part = min(left / np.abs(limit - point)[chosen].sum(), 1.0)
        point = np.where(chosen, point * (1 - part) + limit * part, point)
        if part < 1:
            break
    return point
