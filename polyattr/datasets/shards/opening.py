"""Which store a kind is."""

from __future__ import annotations

from pathlib import Path

from polyattr.datasets.shards.parquet_store import ParquetStore
from polyattr.datasets.shards.store import Store
from polyattr.datasets.shards.zarr_store import ZarrStore


def store_of(kind: str, out: Path, shard_rows: int) -> Store:
    """Makes a store of a kind, in the folder `out`, with so many rows in each shard.

    Raises:
        MissingExtraError: What it needs is not installed.
    """
    return (ParquetStore if kind == "parquet" else ZarrStore)(out, shard_rows)
