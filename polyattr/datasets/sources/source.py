"""What a source of rows can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polyattr.datasets.batches.reading import Batch

Array = np.ndarray[Any, Any]


class Source(ABC):
    """Rows that can be read from anywhere, as often as needed, by any process it is sent to."""

    kind: ClassVar[str]
    anywhere: ClassVar[bool] = True
    """Whether other processes can read it for themselves; rows are sent to them otherwise."""

    @abstractmethod
    def __len__(self) -> int:
        """How many rows there are."""

    @abstractmethod
    def read(self, start: int, stop: int) -> Batch:
        """Reads the rows from `start` to `stop`."""

    def part(self, start: int, stop: int) -> Source:
        """What another process needs to read these rows, which are its rows from 0."""
        return Part(self, start, stop) if self.anywhere else Held(self.read(start, stop))

    def stamp(self) -> dict[str, Any]:
        """What tells cheaply that nothing was changed; empty where only the rows themselves do."""
        return {}

    @property
    def features(self) -> list[str] | None:
        """Names of the columns, where there are some."""
        return None

    def described(self) -> dict[str, Any]:
        """What the source is, for a manifest: reads one row."""
        first = self.read(0, 1).inputs
        shape = list(first.shape[1:])
        return {"kind": self.kind, "rows": len(self), "shape": shape, "dtype": str(first.dtype)}


@dataclass(frozen=True)
class Part(Source):
    """Some rows of a source that is read from files."""

    kind = "part"
    source: Source
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def read(self, start: int, stop: int) -> Batch:
        """Reads rows counted from the first of the part."""
        return self.source.read(self.start + start, self.start + stop)


@dataclass(frozen=True)
class Held(Source):
    """Rows in memory: a part of them is sent as they are."""

    batch: Batch
    names: list[str] | None = None
    kind = "array"
    anywhere = False

    def __len__(self) -> int:
        return len(self.batch)

    def read(self, start: int, stop: int) -> Batch:
        """Reads a slice."""
        return cut(self.batch, slice(start, stop))

    @property
    def features(self) -> list[str] | None:
        """Names of the columns, where there are some."""
        return self.names


@dataclass(frozen=True)
class Joined(Source):
    """A source whose targets or ids are kept elsewhere, and of which some rows may be chosen.

    Attributes:
        source: Where the inputs are.
        targets: (N, ...) one entry per row of the source, or None for its own.
        ids: (N,) likewise.
        chosen: (M,) ascending numbers of the rows that count, or None for all.
        first: Number of its first row in the source it was cut from.
    """

    source: Source
    targets: Array | None = None
    ids: Array | None = None
    chosen: Array | None = None
    first: int = 0
    kind = "joined"

    def __len__(self) -> int:
        return len(self.source) if self.chosen is None else len(self.chosen)

    def read(self, start: int, stop: int) -> Batch:
        """Reads rows, of which each has its id: its place in the source where it has no other."""
        if self.chosen is None:
            return self._read(start, stop)
        rows = self.chosen[start:stop]
        if len(rows) and rows[-1] - rows[0] < 4 * len(rows):  # close together: one stretch
            return cut(self._read(rows[0], rows[-1] + 1), rows - rows[0])
        return joined([self._read(row, row + 1) for row in rows])

    def _read(self, start: int, stop: int) -> Batch:
        start, stop = int(start), int(stop)
        found = self.source.read(start, stop)
        targets = found.targets if self.targets is None else self.targets[start:stop]
        ids = found.ids if self.ids is None else self.ids[start:stop]
        if ids is None:
            ids = np.arange(start, start + len(found), dtype=np.int64) + self.first
        return Batch(found.inputs, targets, ids)

    def part(self, start: int, stop: int) -> Source:
        """The rows themselves, or a stretch of the source and what belongs to its rows."""
        if not self.source.anywhere:
            return Held(self.read(start, stop))
        rows = None if self.chosen is None else self.chosen[start:stop]
        if rows is not None:
            start, stop = int(rows[0]), int(rows[-1]) + 1
        return Joined(
            Part(self.source, start, stop),
            None if self.targets is None else self.targets[start:stop],
            None if self.ids is None else self.ids[start:stop],
            None if rows is None else rows - start,
            self.first + start,
        )

    def stamp(self) -> dict[str, Any]:
        """That of the source."""
        return self.source.stamp()

    @property
    def features(self) -> list[str] | None:
        """Names of the columns, where there are some."""
        return self.source.features

    def described(self) -> dict[str, Any]:
        """What the source is, and how many of its rows count."""
        return self.source.described() | {"chosen": len(self)}


def cut(batch: Batch, where: Any) -> Batch:
    """Some rows of a batch."""
    return Batch(
        batch.inputs[where],
        None if batch.targets is None else batch.targets[where],
        None if batch.ids is None else batch.ids[where],
    )


def joined(batches: list[Batch]) -> Batch:
    """Batches one after the other."""
    if len(batches) == 1:
        return batches[0]
    first = batches[0]
    return Batch(
        np.concatenate([b.inputs for b in batches]),
        None if first.targets is None else np.concatenate([b.targets for b in batches]),
        None if first.ids is None else np.concatenate([b.ids for b in batches]),
    )
