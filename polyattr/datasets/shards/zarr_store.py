"""A Zarr v3 group with an array for each column, one chunk per shard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.shards.atomic import move
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
        try:
            import zarr
        except ImportError:
            raise MissingExtraError("a Zarr store", "zarr") from None
        if int(zarr.__version__.split(".")[0]) < 3:
            raise MissingExtraError(f"a Zarr v3 store (zarr is {zarr.__version__})", "zarr")

    def stage(self, number: int, columns: dict[str, Array], stage: Path) -> dict[str, Path]:
        """Writes a store of this shard alone, whose only chunks have their number in the whole."""
        rows = len(next(iter(columns.values())))
        group = self._make(stage / "shard", spec_of(columns), rows, {})
        found = {}
        for name, array in columns.items():
            group[name][...] = array.astype(object) if array.dtype.kind == "U" else array
            rest = "/0" * (array.ndim - 1)
            found[f"{name}/c/{number}{rest}"] = stage / "shard" / name / "c" / f"0{rest}"
        return found

    def describe(self, spec: Spec, rows: int, facts: dict[str, Any], stage: Path) -> None:
        """Writes the metadata of the whole, array by array, the group last."""
        self._make(stage / "whole", spec, rows, facts)
        for name in (*spec, "."):
            move(stage / "whole" / name / "zarr.json", self.out / name / "zarr.json")

    def _make(self, path: Path, spec: Spec, rows: int, facts: dict[str, Any]) -> Any:
        import zarr

        group = zarr.create_group(str(path), zarr_format=3, attributes=facts)
        for name, (dtype, shape) in spec.items():
            group.create_array(
                name,
                shape=(rows, *shape),
                chunks=(self.shard_rows, *(max(size, 1) for size in shape)),
                dtype=str if dtype == "str" else dtype,
                # Maps hardly compress: 8 % for a twentieth of the time of a small network.
                compressors=None,
                dimension_names=("row", *(f"axis_{i}" for i in range(1, len(shape) + 1))),
                config={"write_empty_chunks": True},
            )
        return group

    def column(self, name: str) -> Array:
        """Reads one column (N, ...) whole."""
        import zarr

        held: Any = zarr.open_group(str(self.out), mode="r")[name]
        array = np.asarray(held[...])
        return array if array.dtype.kind in "biuf" else array.astype(str)
