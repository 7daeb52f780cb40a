"""What keeps the columns of all shards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from polyattr.datasets.shards.atomic import Stage
from polyattr.errors import InputError

Array = np.ndarray[Any, Any]
Spec = dict[str, list[Any]]
"""Of each column its dtype and the shape of one entry."""


class Store(ABC):
    """Columns of N rows on disk, one chunk or file per shard.

    Args:
        out: The folder.
        shard_rows: Rows of each shard but the last.
    """

    kind: ClassVar[str]

    def __init__(self, out: Path, shard_rows: int) -> None:
        self.out, self.shard_rows = out, shard_rows
        self.check()

    @abstractmethod
    def check(self) -> None:
        """Checks that what it needs is installed.

        Raises:
            MissingExtraError: It is not.
        """

    @abstractmethod
    def stage(self, number: int, columns: dict[str, Array], stage: Stage) -> dict[str, Path]:
        """Writes a shard to files of a `stage`, by their place below `out`."""

    @abstractmethod
    def describe(self, spec: Spec, rows: int, facts: dict[str, Any], stage: Stage) -> None:
        """Writes what readers have to know before they find shards: again where rows grew."""

    @abstractmethod
    def column(self, name: str) -> Array:
        """Reads one column (N, ...) whole."""


def spec_of(columns: dict[str, Array]) -> Spec:
    """Says what the columns hold; texts of any length are one kind."""
    return {
        name: ["str" if array.dtype.kind == "U" else str(array.dtype), list(array.shape[1:])]
        for name, array in columns.items()
    }


def kind_of(out: Path, given: str | None) -> str:
    """Returns the kind of a store, by what was said or by the name of its folder.

    Raises:
        InputError: No such kind.
    """
    known = ("zarr", "parquet")
    if given is not None and given not in known:
        raise InputError(f"format is {given!r}; expected 'zarr' or 'parquet'")
    if given is not None:
        return given
    if out.suffix.lower() in ("", ".zarr"):
        return "zarr"
    if out.suffix.lower() in (".parquet", ".pq"):
        return "parquet"
    raise InputError(
        f"out is {str(out)!r}; expected a folder whose name ends with .zarr or .parquet, or "
        f"format='zarr' or 'parquet'"
    )
