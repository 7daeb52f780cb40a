"""A folder of Parquet files, one per shard."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.optional import library
from polyattr.datasets.shards.atomic import Stage
from polyattr.datasets.shards.store import Array, Spec, Store

SHAPES = b"polyattr.shapes"


class ParquetStore(Store):
    """Files part-000000.parquet and so on; maps are lists of a fixed size."""

    kind = "parquet"

    def check(self) -> None:
        """Checks for pyarrow.

        Raises:
            MissingExtraError: It is not installed.
        """
        _parquet()

    def stage(self, number: int, columns: dict[str, Array], stage: Stage) -> dict[str, Path]:
        """Writes a file."""
        pyarrow = library("pyarrow", "a Parquet store", "parquet")
        made = {name: _column(array) for name, array in columns.items()}
        shapes = {name: list(array.shape[1:]) for name, array in columns.items()}
        table = pyarrow.table(made).replace_schema_metadata({SHAPES: json.dumps(shapes)})
        name = f"part-{number:06d}.parquet"
        # Nearly every number of a map is another one: a dictionary of them is work for nothing.
        path = stage.path(name)
        _parquet().write_table(table, path, compression="zstd", use_dictionary=False)
        return {name: path}

    def describe(self, spec: Spec, rows: int, facts: dict[str, Any], stage: Stage) -> None:
        """Files say themselves what they hold."""
        self.out.mkdir(parents=True, exist_ok=True)

    def column(self, name: str) -> Array:
        """Reads one column (N, ...) whole."""
        parts = []
        for path in sorted(self.out.glob("part-*.parquet")):
            table = _parquet().read_table(path, columns=[name])
            shape = json.loads(table.schema.metadata[SHAPES])[name]
            held = table.column(name).combine_chunks()
            if shape:
                flat = held.flatten().to_numpy(zero_copy_only=False)
                parts.append(flat.reshape(len(table), *shape))
            else:
                found = held.to_numpy(zero_copy_only=False)
                parts.append(found.astype(str) if found.dtype.hasobject else found)
        return np.concatenate(parts)


def _parquet() -> Any:
    return library("pyarrow.parquet", "a Parquet store", "parquet")


def _column(array: Array) -> Any:
    pyarrow = library("pyarrow", "a Parquet store", "parquet")
    if array.ndim == 1:
        return pyarrow.array(array)
    flat = pyarrow.array(array.reshape(-1))
    size = int(np.prod(array.shape[1:], dtype=int))
    return pyarrow.FixedSizeListArray.from_arrays(flat, size)
