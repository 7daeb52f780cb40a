"""The features that a metric removes, one by one or with all channels of a place, and their order.

Draws belong to (seed, sample, draw), whatever the batch, the framework or the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from polyattr.errors import InputError
from polyattr.question.checks import check_count
from polyattr.sampling.noise import portable_noise

Array = np.ndarray[Any, Any]

# Which draws are meant: methods surround each other in small numbers, counted from 0.
TIES, REMOVED, ADDED, MOVED, WEIGHTS = (2**40 + kind for kind in range(5))


def uniform(seed: int, draw: int, leaf: int, shape: tuple[int, ...], kind: int, row: int) -> Array:
    """Draws numbers of `shape` from 0 to 1, as float32, that belong to the sample `row`."""
    return portable_noise(seed, draw, leaf, shape, kind, row, _from_0_to_1)


def _from_0_to_1(generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return generator.random(shape, dtype=np.float32)


class Features(NamedTuple):
    """How the numbers of a sample are grouped to features.

    Attributes:
        shapes: Shape of one sample of each input.
        channel_axis: Axis, with that of samples counted, whose entries are one feature together;
            None where each number is a feature of its own.
    """

    shapes: tuple[tuple[int, ...], ...]
    channel_axis: int | None

    @property
    def grouped(self) -> tuple[tuple[int, ...], ...]:
        """Shape of the features of one sample of each input, which broadcasts against it."""
        if self.channel_axis is None:
            return self.shapes
        axis = self.channel_axis
        return tuple((*s[: axis - 1], 1, *s[axis:]) for s in self.shapes)

    @property
    def sizes(self) -> list[int]:
        """How many features each input has."""
        return [int(np.prod(shape, dtype=int)) for shape in self.grouped]

    @property
    def total(self) -> int:
        """How many features a sample has, U."""
        return sum(self.sizes)

    def of(self, maps: Sequence[Array]) -> Array:
        """Sums maps (N, ...) of each input to features (N, U)."""
        axis = self.channel_axis
        each = [leaf if axis is None else leaf.sum(axis=axis) for leaf in maps]
        return np.concatenate([leaf.reshape(len(leaf), -1) for leaf in each], axis=1)

    def apart(self, features: Array) -> list[Array]:
        """Puts features (R, U) where they belong, (R, ...) for each input, to broadcast."""
        ends = np.cumsum(self.sizes)[:-1]
        parts = np.split(features, ends, axis=1)
        return [p.reshape(len(p), *s) for p, s in zip(parts, self.grouped, strict=True)]


def read_features(maps: Sequence[Array], channel_axis: Any) -> Features:
    """Checks `channel_axis` against maps (N, ...) of each input.

    Raises:
        InputTypeError: No whole number.
        InputError: An input has no such axis.
    """
    shapes = tuple(tuple(leaf.shape[1:]) for leaf in maps)
    if channel_axis is None:
        return Features(shapes, None)
    axis = check_count("channel_axis", channel_axis, -(2**31))
    counted = {axis + len(shape) + 1 if axis < 0 else axis for shape in shapes}
    if len(counted) > 1 or any(not 1 <= axis <= len(shape) for axis in counted for shape in shapes):
        listed = ", ".join(str((maps[i].shape[0], *shape)) for i, shape in enumerate(shapes))
        raise InputError(
            f"channel_axis is {channel_axis}, and the maps have shape {listed}; expected an axis "
            f"behind that of the samples, such as 1 of (N, C, H, W) or -1 of (N, H, W, C)"
        )
    return Features(shapes, counted.pop())


def ranked(features: Array, seed: int, ids: Array) -> tuple[Array, Array]:
    """Ranks features (N, U), the largest first; equal ones in an order that is drawn.

    Args:
        features: (N, U) what they are ranked by.
        seed: Of the draws.
        ids: (N,) what samples are called.

    Returns:
        Ranks (N, U) from 0, and the share (N,) of features that are as large as another one.
    """
    n, count = features.shape
    ranks, tied = np.empty((n, count), dtype=np.int32), np.empty(n)
    for i, (row, name) in enumerate(zip(features, ids, strict=True)):
        order = np.lexsort((uniform(seed, 0, 0, (count,), TIES, int(name)), -row))
        ranks[i, order] = np.arange(count, dtype=np.int32)
        _, inverse, counts = np.unique(row, return_inverse=True, return_counts=True)
        tied[i] = (counts[inverse.ravel()] > 1).mean()
    return ranks, tied
