"""Files of arrays: .npy mapped to memory, HDF5 and Zarr."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Batch, Columns, as_ids
from polyattr.datasets.optional import library
from polyattr.datasets.sources.source import Source
from polyattr.errors import InputError, nearest


def stamp_of(path: Path) -> dict[str, Any]:
    """Where a file or folder is, how large, and when it was last written."""
    paths = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    stats = [p.stat() for p in paths]
    return {
        "path": str(path.resolve()),
        "bytes": sum(s.st_size for s in stats),
        "written": max((s.st_mtime_ns for s in stats), default=0),
    }


@dataclass(frozen=True)
class Arrays(Source):
    """Arrays by name in one file, opened by each process that reads them.

    Attributes:
        path: The file, or the folder of a Zarr store.
        columns: Which of its arrays are what.
        kind: "npy", "hdf5" or "zarr".
    """

    path: Path
    columns: Columns
    kind: str  # type: ignore[misc]  # of each file its own

    def _open(self) -> dict[str, Any]:
        """The arrays that are read, by what they are."""
        if self.kind == "npy":
            # Mapped anew for each read: all pages that were looked at would stay with the process.
            return {"inputs": np.load(self.path, mmap_mode="r")}
        if "_opened" not in self.__dict__:
            object.__setattr__(self, "_opened", self._arrays())
        opened: dict[str, Any] = self.__dict__["_opened"]
        return opened

    def _arrays(self) -> dict[str, Any]:
        held = _hdf5(self.path) if self.kind == "hdf5" else _zarr(self.path)
        if hasattr(held, "shape"):  # one array
            return {"inputs": held}
        asked = {"inputs": self.columns.inputs, "targets": self.columns.targets}
        asked["ids"] = self.columns.ids
        names = [str(name) for name in held]
        if asked["inputs"] is None and len(names) == 1:
            asked["inputs"] = names[0]
        if not isinstance(asked["inputs"], str):
            raise InputError(
                f"{self.path} holds {', '.join(names)}; say which are the inputs with inputs='...'"
            )
        for name in asked.values():
            if name is not None and name not in names:
                raise InputError(
                    f"{self.path} has no {name!r}.{nearest(name, names)} It has {', '.join(names)}"
                )
        return {what: held[name] for what, name in asked.items() if name is not None}

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open."""
        return {n: v for n, v in self.__dict__.items() if n != "_opened"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __len__(self) -> int:
        return int(self._open()["inputs"].shape[0])

    def read(self, start: int, stop: int) -> Batch:
        """Reads a slice of each array."""
        parts = {what: np.array(held[start:stop]) for what, held in self._open().items()}
        inputs, ids = parts["inputs"], parts.get("ids")
        if self.columns.dtype is not None:
            inputs = inputs.astype(self.columns.dtype)
        if ids is not None and ids.dtype.hasobject:
            ids = np.array([i.decode() if isinstance(i, bytes) else str(i) for i in ids])
        return Batch(inputs, parts.get("targets"), None if ids is None else as_ids(ids))

    def stamp(self) -> dict[str, Any]:
        """Path, size and time of the file."""
        return stamp_of(self.path)


def _hdf5(path: Path) -> Any:
    return library("h5py", f"reading {path.name}", "hdf5").File(path, "r")


def _zarr(path: Path) -> Any:
    return library("zarr", f"reading {path.name}", "zarr").open(str(path), mode="r")
