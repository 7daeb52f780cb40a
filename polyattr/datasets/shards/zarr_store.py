"""A Zarr v3 group with an array for each column, one chunk per shard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.optional import library
from polyattr.datasets.shards.atomic import Stage, move
from polyattr.datasets.shards.store import Array, Spec, Store, spec_of
from polyattr.errors import MissingExtraError


class ZarrStore(Store):
    """Arrays of N rows in one group, which any reader of Zarr v3 opens."""

    kind = "zarr"

    def check(self) -> None:
        """Checks for zarr 3.

        Raises:
            MissingExtraError: It is not installed.
        """
        zarr = library("zarr", "a Zarr store", "zarr")
        if int(zarr.__version__.split(".")[0]) < 3:
            raise MissingExtraError(f"a Zarr v3 store (zarr is {zarr.__version__})", "zarr")

    def stage(self, number: int, columns: dict[str, Array], stage: Stage) -> dict[str, Path]:
        """Writes one chunk for each column, which has the number of the shard."""
        found = {}
        for name, array in columns.items():
            path = stage.path(name)
            found[f"{name}/c/{number}" + "/0" * (array.ndim - 1)] = path
            path.write_bytes(self._chunk(name, array))
        return found

    def _chunk(self, name: str, array: Array) -> Any:
        """A chunk as it is stored: without a compressor, numbers themselves, the lowest byte first.

        Zarr would write the same, for half of what a shard costs beside its rows.
        """
        if array.dtype.kind == "U":
            held, arrays = self._make(spec_of({name: array}), len(array), {})
            arrays[name][...] = array.astype(object)
            return held[f"{name}/c/0"].to_bytes()
        if len(array) < self.shard_rows:  # the last one, filled up
            whole = np.zeros((self.shard_rows, *array.shape[1:]), array.dtype)
            whole[: len(array)] = array
            array = whole
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        return plain.reshape(-1).view(np.uint8).data

    def describe(self, spec: Spec, rows: int, facts: dict[str, Any], stage: Stage) -> None:
        """Writes the metadata of the whole, array by array, the group last."""
        held, _ = self._make(spec, rows, facts)
        for folder in (*(f"{name}/" for name in spec), ""):
            path = stage.path(f"{folder}zarr.json")
            path.write_bytes(held[f"{folder}zarr.json"].to_bytes())
            move(path, self.out / folder / "zarr.json")

    def _make(self, spec: Spec, rows: int, facts: dict[str, Any]) -> tuple[dict[str, Any], Any]:
        """A store in memory: what it holds by key, and its arrays by name."""
        zarr = library("zarr", "a Zarr store", "zarr")
        held: dict[str, Any] = {}
        store = zarr.storage.MemoryStore(held)
        group = zarr.create_group(store, zarr_format=3, attributes=facts)
        arrays = {}
        for name, (dtype, shape) in spec.items():
            arrays[name] = group.create_array(
                name,
                shape=(rows, *shape),
                chunks=(self.shard_rows, *(max(size, 1) for size in shape)),
                dtype=str if dtype == "str" else dtype,
                # Maps hardly compress: 8 % for a twentieth of the time of a small network.
                compressors=None,
                dimension_names=("row", *(f"axis_{i}" for i in range(1, len(shape) + 1))),
                config={"write_empty_chunks": True},
            )
        return held, arrays

    def column(self, name: str) -> Array:
        """Reads one column (N, ...) whole."""
        zarr = library("zarr", "a Zarr store", "zarr")
        held: Any = zarr.open_group(str(self.out), mode="r")[name]
        array = np.asarray(held[...])
        return array if array.dtype.kind in "biuf" else array.astype(object).astype(str)
