"""One shard, from its rows to its record: what every executor runs."""

from __future__ import annotations

import math
import mmap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.shards.atomic import explained_failure, staging
from polyattr.datasets.shards.opening import store_of
from polyattr.datasets.shards.records import commit, rows_digest
from polyattr.datasets.shards.store import spec_of
from polyattr.datasets.sources.source import Source
from polyattr.datasets.summaries import buckets
from polyattr.datasets.summaries.partial import Partial, Wanted
from polyattr.datasets.work import Work
from polyattr.errors import InputError

Array = np.ndarray[Any, Any]

DEFAULT_TOLERANCE = 0.05
"""As methods have it that were given none."""
_NAMED = 10
_LARGE = 1 << 20


@dataclass(frozen=True)
class Task:
    """A shard to be made.

    Attributes:
        number: Which it is, from 0.
        start: Number of its first row.
        source: Its rows, counted from 0.
    """

    number: int
    start: int
    source: Source


@dataclass(frozen=True)
class Shard:
    """A shard that is explained, and not written yet.

    Attributes:
        number: Which it is.
        start: Number of its first row.
        columns: What was found.
        partial: What was kept for the summary, or None.
        known: What its record says of how it was made.
    """

    number: int
    start: int
    columns: dict[str, Array]
    partial: Partial | None
    known: dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What all shards of a run have in common; it is sent to every process.

    Attributes:
        worker: Explains a batch.
        out: The folder of the data.
        run: The folder beside it.
        kind: "zarr" or "parquet".
        rows_per_call: Rows that are explained together.
        rows_per_shard: A multiple of it.
        dtype: Of the maps as they are stored; None as they come.
        maps: Whether maps are stored.
        wanted: What is kept for a summary, or None.
        key: What a record has to be of.
    """

    worker: Work
    out: Path
    run: Path
    kind: str
    rows_per_call: int
    rows_per_shard: int
    dtype: str | None
    maps: bool
    wanted: Wanted | None
    key: str

    def make(self, task: Task) -> dict[str, Any]:
        """Explains the rows of a shard, writes it, and returns its record.

        Raises:
            PolyattrError: As `Explainer.attribute`, or the folder cannot be written to.
            OSError: The disk is full.
        """
        return self.write(self.explained(task))

    def explained(self, task: Task) -> Shard:
        """Explains the rows of a shard.

        Raises:
            PolyattrError: As `Explainer.attribute`.
        """
        began = time.perf_counter()
        columns, partial, known = self._explained(task)
        seconds = round(time.perf_counter() - began, 4)
        return Shard(task.number, task.start, columns, partial, known | {"seconds": seconds})

    def _explained(self, task: Task) -> tuple[dict[str, Array], Partial | None, dict[str, Any]]:
        partial = None if self.wanted is None else Partial(task.start, self.wanted)
        columns: dict[str, Array] = {}
        facts: dict[str, Any] = {}
        digest = spent = 0
        for start in range(0, len(task.source), self.rows_per_call):
            stop = min(start + self.rows_per_call, len(task.source))
            batch = task.source.read(start, stop)
            digest = rows_digest(batch, digest)
            found = self.worker.answer(batch)
            spent += int(found.evaluations.sum())
            facts = found.facts
            _put(columns, found.columns, start, len(task.source))
            if partial is not None:
                partial.add(batch, found, task.start + start)
        tolerance = getattr(self.worker.method, "tolerance", None) or DEFAULT_TOLERANCE
        facts = facts | {"tolerance": tolerance}
        return columns, partial, {"facts": facts, "inputs": digest, "evaluations": spent}

    def _stored(self, shard: Shard) -> tuple[dict[str, Array], Any, dict[str, Any]]:
        """The columns as they are stored, what is added to the summary, and the record."""
        columns, known = shard.columns, dict(shard.known)
        if self.dtype is not None:
            columns = with_rounding(columns, self.dtype, known["facts"]["tolerance"])
        summary = None if shard.partial is None else shard.partial.arrays(columns)
        spent = {name: known.pop(name) for name in ("evaluations", "seconds")}
        report = report_of(columns) | spent
        if self.dtype is not None:
            columns = rounded(columns, self.dtype, shard.number)
        if not self.maps:
            columns = {name: array for name, array in columns.items() if name != "attribution"}
        rows = [shard.start, shard.start + report["rows"]]
        spec = spec_of(columns)
        return columns, summary, known | {
            "job": self.key, "rows": rows, "report": report, "spec": spec,
        }  # fmt: skip

    def write(self, shard: Shard) -> dict[str, Any]:
        """Writes a shard, and then its record, which is returned.

        Raises:
            InputError: The folder cannot be written to, or numbers are too large for its dtype.
            OSError: The disk is full.
        """
        columns, summary, known = self._stored(shard)
        store = store_of(self.kind, self.out, self.rows_per_shard)
        number = shard.number
        try:
            with staging(self.run) as stage:
                staged = store.stage(number, columns, stage)
                files = {self.out / name: path for name, path in staged.items()}
                if summary is not None:
                    path = stage.path("summary.npz")
                    np.savez(path, **summary)
                    files[self.run / "summaries" / f"{number:06d}.npz"] = path
                return commit(self.out, self.run, number, files, known, stage)
        except OSError as error:
            raise explained_failure(error, self.out, f"shard {number}") from error


def _put(columns: dict[str, Array], found: dict[str, Array], start: int, rows: int) -> None:
    """Puts the columns of a call where they belong among the `rows` of a shard."""
    for name, array in found.items():
        whole = columns.get(name)
        if (
            whole is None or array.dtype.itemsize > whole.itemsize
        ):  # texts, longer than those before
            grown = _room((rows, *array.shape[1:]), array.dtype)
            grown[:start] = 0 if whole is None else whole[:start]
            columns[name] = whole = grown
        whole[start : start + len(array)] = array


def _room(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Returns an array that goes back to the system as soon as nobody has it.

    Freed in the heap, a map of every shard leaves a hole that the next one does not fit into.
    """
    size = dtype.itemsize * math.prod(shape)
    if size < _LARGE:
        return np.empty(shape, dtype)
    return np.ndarray(shape, dtype, mmap.mmap(-1, size))


def with_rounding(columns: dict[str, Array], dtype: str, tolerance: float) -> dict[str, Array]:
    """Adds to the error (n,) of each row what rounding its map to `dtype` does to it."""
    maps = columns["attribution"].reshape(len(columns["score"]), -1).astype(np.float64)
    with np.errstate(all="ignore"):
        off = np.abs(maps - maps.astype(dtype).astype(np.float64)).sum(axis=1)
        size = np.abs(maps).sum(axis=1)
        error = columns["error"] + np.where(off == 0, 0.0, off / size)
    converged = columns["converged"] & ~(error > tolerance)
    return columns | {"error": error, "converged": converged}


def rounded(columns: dict[str, Array], dtype: str, number: int) -> dict[str, Array]:
    """Returns the columns with maps as `dtype`.

    Raises:
        InputError: A number is larger than any of that dtype.
    """
    maps = columns["attribution"]
    with np.errstate(over="ignore"):
        narrow = maps.astype(dtype)
    if (np.isinf(narrow) & np.isfinite(maps)).any():
        raise InputError(
            f"attributions of shard {number} reach {np.nanmax(np.abs(maps)):.3g}, which {dtype} "
            f"cannot hold; expected dtype=None"
        )
    return columns | {"attribution": narrow}


def report_of(columns: dict[str, Array]) -> dict[str, Any]:
    """What is told of a shard at the end: counts of errors and gaps, and the rows to look at."""
    error, gap = columns["error"], np.abs(columns["gap"])
    maps = columns["attribution"].reshape(len(error), -1)
    lost = np.flatnonzero(~np.isfinite(maps.sum(axis=1)))
    told: dict[str, Any] = {
        "rows": len(error),
        "unconverged": int((~columns["converged"]).sum()),
        "not_finite": len(lost),
        "not_finite_ids": columns["id"][lost[:_NAMED]].tolist(),
    }
    for name, values in (("error", error), ("gap", gap)):
        places, counts = buckets.count(values[:, None])
        told[name] = [places.tolist(), counts.tolist()]
        if np.isfinite(values).any():
            worst = int(np.nanargmax(np.where(np.isfinite(values), values, -1)))
            told[f"largest_{name}"] = [float(values[worst]), columns["id"][worst].tolist()]
    return told
