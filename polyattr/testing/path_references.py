"""The methods on paths that are not straight, in NumPy float64, as their papers loop over them."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.testing.scored import Scored

Array = np.ndarray[Any, Any]


def guided(
    model: Scored, x: Array, start: float, steps: int, fraction: float, max_dist: float
) -> Array:
    """Guided Integrated Gradients, sample by sample and group by group.

    Args:
        model: Score and gradient.
        x: (N, ...) samples.
        start: The baseline of all features.
        steps: Points on the path.
        fraction: Of the features in a group.
        max_dist: From the straight path.
    """
    origin = np.full_like(x, start)
    first = origin + (x - origin) * 0.01 / (steps - 1)  # the start is taken from inside
    points, slopes = [origin], [model.gradient(first)]
    for step in range(1, steps):
        alpha = step / (steps - 1)
        low, high = max(alpha - max_dist, 0.0), min(alpha + max_dist, 1.0)
        moved = [
            _stride(*each, alpha, low, high, fraction)
            for each in zip(points[-1], origin, x, np.abs(slopes[-1]), strict=True)
        ]
        points.append(np.stack(moved))
        slopes.append(model.gradient(x if step == steps - 1 else points[-1]))
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


def important_directions(model: Scored, x: Array, start: float, steps: int) -> Array:
    """IDGI: gradients at even points, each with half of what the score changes around it."""
    origin, alphas = np.full_like(x, start), np.linspace(0, 1, steps)
    scores = [model.score(origin + alpha * (x - origin)) for alpha in alphas]
    total = np.zeros_like(x)
    alphas[0] = alphas[1] / 100  # the start is taken from inside
    for k, alpha in enumerate(alphas):
        squares = model.gradient(origin + alpha * (x - origin)) ** 2
        change = (scores[min(k + 1, steps - 1)] - scores[max(k - 1, 0)]) / 2
        total += squares * _column(change / _sums(squares), x)
    return total


def decisions(model: Scored, x: Array, start: float, steps: int) -> Array:
    """IDG: flow times slope, at points that go by what the score travels between even ones."""
    origin, even = np.full_like(x, start), np.linspace(0, 1, steps)
    scores = np.array([model.score(origin + alpha * (x - origin)) for alpha in even])
    moves = np.abs(np.diff(scores, axis=0))
    travelled = np.cumsum(0.5 * moves / moves.sum(axis=0) + 0.5 / (steps - 1), axis=0)
    way = np.concatenate([np.zeros((1, len(x))), travelled])
    each = [np.interp(even * w[-1], w, even) for w in way.T]
    nodes = np.stack(each, axis=1)
    total = np.zeros_like(x)
    for k, alphas in enumerate(nodes):
        width = (nodes[min(k + 1, steps - 1)] - nodes[max(k - 1, 0)]) / 2
        at = alphas if k else np.full_like(alphas, even[1] / 100)
        flow = (x - origin) * model.gradient(origin + _column(at, x) * (x - origin))
        total += flow * _column(width * _sums(flow), x)
    return total


def blurred(model: Scored, x: Array, largest: float, steps: int) -> Array:
    """Blur IG of (N, width) or (N, H, W): the trapezoid rule from a Gaussian blur to none."""
    alphas = np.linspace(0, 1, steps)
    alphas[0] = alphas[1] / 100  # the start is taken from inside
    weights = np.r_[0.5, np.ones(steps - 2), 0.5] / (steps - 1)
    total = np.zeros_like(x)
    for alpha, weight in zip(alphas, weights, strict=True):
        grown = 0.5 * (2 * largest + 1) ** (1 - alpha)  # even in the logarithm above half a pixel
        pace = (grown - 0.5) * grown * np.log(2 * largest + 1)
        point, change = heated(x, (grown - 0.5) ** 2 / 2)
        total += weight * pace * change * model.gradient(point)
    return total


def heated(x: Array, time: float) -> tuple[Array, Array]:
    """What heat makes of `x` (N, ...) in a time, and what it loses in unit time, by Fourier."""
    axes = tuple(range(1, x.ndim))
    mirrored, squared = x, np.zeros(())
    for axis in axes:
        size = x.shape[axis]
        mirrored = np.concatenate([mirrored, np.flip(mirrored, axis)], axis)
        shape = [-1 if i == axis else 1 for i in range(x.ndim)]
        squared = squared + (2 * np.pi * np.fft.fftfreq(2 * size)).reshape(shape) ** 2
    waves = np.fft.fftn(mirrored, axes=axes) * np.exp(-time * squared)
    here = tuple(slice(size) for size in x.shape)
    point, change = (np.fft.ifftn(w, axes=axes).real[here] for w in (waves, waves * squared))
    return point, change


def _sums(values: Array) -> Array:
    """Sums over all features, (N,)."""
    sums: Array = values.reshape(len(values), -1).sum(axis=1)
    return sums


def _column(numbers: Array, like: Array) -> Array:
    """Numbers (N,) that go with arrays (N, ...)."""
    return numbers.reshape(-1, *[1] * (like.ndim - 1))
