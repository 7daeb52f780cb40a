"""The record of a finished shard: it is written last, and a shard without one is not finished."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Batch
from polyattr.datasets.shards.atomic import Stage, checksum, move, seal, settle, unseal, write_text

Array = np.ndarray[Any, Any]


def record_path(run: Path, number: int) -> Path:
    """Where the record of a shard is."""
    return run / "shards" / f"{number:06d}.json"


def commit(
    out: Path, run: Path, number: int, files: dict[Path, Path], known: dict[str, Any], stage: Stage
) -> dict[str, Any]:
    """Moves the files of a shard to their places, and then says so.

    Args:
        out: The folder of the data.
        run: The folder beside it.
        number: Of the shard.
        files: Places, and where the files are now.
        known: What the record says beside their checksums.
        stage: Where the record is written first.
    """
    sums = {}
    for place, staged in files.items():
        name = f"out/{place.relative_to(out)}" if out in place.parents else f"run/{place.name}"
        sums[name] = list(checksum(staged))
        move(staged, place)
    record = {**known, "shard": number, "files": sums}
    path = record_path(run, number)
    # Names that a crash of the machine takes away again are missed by the record, which is last.
    write_text(path, seal(record), stage)
    settle(path.parent)
    return record


def read_record(run: Path, number: int) -> dict[str, Any] | None:
    """Reads the record of a shard; None where there is none, or it is damaged."""
    path = record_path(run, number)
    return unseal(path) if path.exists() else None


def what_is_wrong(
    record: dict[str, Any] | None, out: Path, run: Path, job: str, full: bool
) -> str | None:
    """Says why a shard has to be made again; None where it is whole.

    Args:
        record: Its record.
        out: The folder of the data.
        run: The folder beside it.
        job: What the record has to be of.
        full: Whether files are read, or only their sizes compared.
    """
    if record is None:
        return "its record is damaged"
    if record.get("job") != job:
        return "its record is of another run"
    for name, (size, crc) in record["files"].items():
        where, _, rest = name.partition("/")
        path = out / rest if where == "out" else run / "summaries" / rest
        if not path.exists():
            return f"{rest} is missing"
        if path.stat().st_size != size:
            return f"{rest} has {path.stat().st_size:,} of {size:,} bytes"
        if full and checksum(path) != (size, crc):
            return f"{rest} has another checksum"
    return None


def rows_digest(batch: Batch, before: int = 0) -> int:
    """The CRC-32 of what rows are explained, going on from that of the rows before."""
    for part in (batch.inputs, batch.targets, batch.ids):
        if part is not None:
            held = np.ascontiguousarray(part)
            before = zlib.crc32(held.view(np.uint8).data if held.size else b"", before)
    return before
