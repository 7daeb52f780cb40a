"""Which two samples of a call differ most: where samples mix at all, it shows in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_AT_A_TIME = 1_000_000
"""Numbers compared at a time: comparing must not take as much memory as the samples."""


def most_unlike(leaves: Sequence[Array]) -> tuple[int, int, float]:
    """Finds two samples that differ most, or nearly so, in two passes over them.

    Args:
        leaves: What samples are made of, (N, ...) each.

    Returns:
        Their numbers, ascending, and how much they differ: the sum of absolute differences as a
        fraction of the largest sample's size, the mean over the leaves; 0 where all are the same.
    """
    leaves = [leaf.reshape(len(leaf), -1) for leaf in leaves if leaf.size]
    if not leaves or len(leaves[0]) < 2:
        return 0, 0, 0.0
    scales = [_distances(leaf, np.zeros(1)).max() for leaf in leaves]
    pairs = [(leaf, scale) for leaf, scale in zip(leaves, scales, strict=True) if scale > 0]
    if not pairs:
        return 0, 0, 0.0

    def apart(row: int) -> Array:
        found: Array = sum(_distances(x, x[row : row + 1]) / scale for x, scale in pairs)
        return found / len(pairs)

    far = int(apart(0).argmax())
    distances = apart(far)
    other = int(distances.argmax())
    return min(far, other), max(far, other), float(distances[other])


def _distances(leaf: Array, reference: Array) -> Array:
    """Sums |leaf - reference| of every row (N, F); what is no number is the same or is not."""
    size = max(1, _AT_A_TIME // leaf.shape[1])
    parts = []
    for start in range(0, len(leaf), size):
        rows = leaf[start : start + size]
        if leaf.dtype.kind in "biufc":
            wide = np.complex128 if leaf.dtype.kind == "c" else np.float64
            parts.append(np.abs(rows.astype(wide) - reference.astype(wide)).sum(axis=1))
        else:
            parts.append((rows != reference.astype(leaf.dtype)).sum(axis=1, dtype=np.float64))
    found: Array = np.concatenate(parts)
    return found
