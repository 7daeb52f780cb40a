"""Counting numbers in buckets of equal relative width: 64 for each power of two.

Sums of counts do not depend on an order, so neither do the quantiles that are read off them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

BITS = 15
"""Of a float32: its sign, its exponent, and the first six binary places of its mantissa."""
WIDTH = 2.0**-7
"""How far a number is from the middle of its bucket at most, relative to itself."""
_SHIFT = 32 - BITS
_SIZE = 2 ** (BITS - 1) - 1
_EXPONENT = 0xFF << 6
"""All ones in what is not finite."""
_TOGETHER = 16


def count(values: Array) -> tuple[Array, Array]:
    """Counts the numbers of each column; NaN and infinity have no bucket.

    Args:
        values: (n, F).

    Returns:
        (K,) int64 places, ``column * 2**15 + bucket``, ascending, and (K,) int64 counts.
    """
    parts: list[tuple[Array, Array]] = []
    for first in range(0, values.shape[1], _TOGETHER):
        part = np.ascontiguousarray(values[:, first : first + _TOGETHER], dtype=np.float32)
        codes = part.view(np.uint32) >> _SHIFT
        # With the sign last, numbers of about the same size stand close together.
        codes = ((codes & _SIZE) << 1) | (codes >> (BITS - 1))
        low = int(codes.min(initial=2**BITS - 1))
        codes -= np.uint32(low)
        width = int(codes.max(initial=0)) + 1
        codes += np.arange(part.shape[1], dtype=np.uint32) * np.uint32(width)
        found = np.bincount(codes.reshape(-1))
        used = np.flatnonzero(found)
        turned = used % width + low
        own = (turned >> 1) | ((turned & 1) << (BITS - 1))
        finite = (own & _EXPONENT) != _EXPONENT
        parts.append(((((used // width + first) << BITS) + own)[finite], found[used][finite]))
    places, counts = (np.concatenate(held).astype(np.int64) for held in zip(*parts, strict=True))
    order = np.argsort(places, kind="stable")
    return places[order], counts[order]


def add(left: tuple[Array, Array], right: tuple[Array, Array]) -> tuple[Array, Array]:
    """Adds two counts."""
    places, inverse = np.unique(np.concatenate([left[0], right[0]]), return_inverse=True)
    counts = np.zeros(len(places), np.int64)
    np.add.at(counts, inverse, np.concatenate([left[1], right[1]]))
    return places, counts


def middles(codes: Array) -> Array:
    """Returns the middle (K,) of each bucket (K,)."""
    low = (codes.astype(np.uint32) << _SHIFT).view(np.float32).astype(np.float64)
    high = ((codes.astype(np.uint32) + 1) << _SHIFT).view(np.float32).astype(np.float64)
    return np.where(low == 0, 0.0, (low + high) / 2)
