"""What a shard adds to the summary of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.datasets.batches.answers import Answer
from polyattr.datasets.batches.reading import Batch
from polyattr.datasets.summaries import buckets

Array = np.ndarray[Any, Any]

MOST_FEATURES = 4096
"""Up to which there are quantiles and means of each class; beyond, means over all rows."""
_BYTES = 1 << 26
_AT_ONCE = 1 << 18
"""Bytes of maps that are copied at a time: a shard has many of them."""
KEPT = ("score", "baseline_score", "gap", "error", "converged", "target", "id")


@dataclass(frozen=True)
class Wanted:
    """What is kept of some rows.

    Attributes:
        rows: How many rows there are in all, or None where nobody knows.
        sample: About how many of them are kept whole, spread evenly.
        worst: How many of those with the largest error.
    """

    rows: int | None
    sample: int = 1000
    worst: int = 20


def sampled(start: int, stop: int, wanted: Wanted, row_bytes: int) -> Array:
    """Returns which rows are of the sample, counted from `start`.

    By a number that is mixed from the place of the row, and so in any order, by any process.
    """
    most = min(wanted.sample, _BYTES // max(row_bytes, 1))
    if wanted.rows is None or wanted.rows <= most:
        most = most if wanted.rows is None else wanted.rows
        return np.arange(0, max(0, min(stop, most) - start))
    mixed = np.arange(start, stop, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    mixed ^= mixed >> np.uint64(31)
    return np.flatnonzero(mixed < np.uint64(int(2**64 * most / wanted.rows)))


class Partial:
    """Collects what is kept of the blocks of a shard.

    Args:
        start: Number of the first row.
        wanted: What is kept.
    """

    def __init__(self, start: int, wanted: Wanted) -> None:
        self._start, self._wanted = start, wanted
        self._sample: list[dict[str, Array]] = []

    def add(self, batch: Batch, found: Answer, start: int) -> None:
        """Keeps the rows of a block that are of the sample, with their inputs."""
        maps = found.columns["attribution"]
        size = batch.inputs[:1].nbytes + maps[:1].nbytes
        where = sampled(start, start + len(batch), self._wanted, size)
        if len(where):
            held = {name: found.columns[name][where] for name in (*KEPT, "attribution")}
            held |= {"inputs": batch.inputs[where], "evaluations": found.evaluations[where]}
            self._sample.append(held)

    def arrays(self, columns: dict[str, Array]) -> dict[str, Array]:
        """Returns all that is kept, as arrays for one file.

        Args:
            columns: Those of the whole shard.
        """
        maps = columns["attribution"]
        flat = maps.reshape(len(maps), -1)
        whole = np.isfinite(flat.sum(axis=1))
        if not whole.all():
            flat = flat[whole]
        found: dict[str, Array] = {"shape": np.array(maps.shape[1:], np.int64)}
        target = columns["target"][whole]
        if flat.shape[1] <= MOST_FEATURES:
            # Half of the bytes: places of 4,096 features, and rows of a shard, need no more.
            found["bucket"], found["count"] = (
                part.astype(np.int32) for part in buckets.count(flat)
            )
        if flat.shape[1] > MOST_FEATURES or target.ndim > 1:
            target = np.full(len(flat), -1)
        found |= _by_class(flat, target)
        order = np.argsort(-np.nan_to_num(columns["error"], nan=np.inf), kind="stable")
        most = max(1, min(self._wanted.worst, _BYTES // max(maps[:1].nbytes, 1)))
        worst = order[:most]
        found |= {f"worst_{name}": columns[name][worst] for name in (*KEPT, "attribution")}
        found["worst_row"] = worst + self._start
        for name in self._sample[0] if self._sample else ():
            found[f"sample_{name}"] = np.concatenate([held[name] for held in self._sample])
        return found


def _by_class(flat: Array, target: Array) -> dict[str, Array]:
    classes, own, counts = np.unique(target, return_inverse=True, return_counts=True)
    sums = np.zeros((2, len(classes), flat.shape[1]))
    rows = max(1, _AT_ONCE // max(flat[:1].nbytes, 1))
    for first in range(0, len(flat), rows):
        number = own[first : first + rows]
        # Rows of a class side by side: there may be as many classes as rows.
        order = np.argsort(number, kind="stable")
        part = flat[first : first + rows][order].astype(np.float64)
        starts = np.flatnonzero(np.append(True, np.diff(number[order]) > 0))
        here = number[order][starts]
        sums[0, here] += np.add.reduceat(part, starts)
        sums[1, here] += np.add.reduceat(np.abs(part, out=part), starts)
    return {"class": classes, "class_rows": counts, "sum": sums[0], "sum_abs": sums[1]}
