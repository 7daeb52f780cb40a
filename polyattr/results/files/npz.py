"""The npz file of an attribution: compressed, and read by NumPy alone."""

from __future__ import annotations

import json
import math
import zipfile
from typing import IO, Any

import numpy as np

from polyattr.errors import InputError
from polyattr.results.files.packed import Packed, unpack


def write(path: str, packed: Packed) -> None:
    """Writes the parts of an attribution; what is bfloat16 as float32."""
    meta = np.array(json.dumps(packed.meta))
    np.savez_compressed(path, meta=meta, **packed.arrays)  # type: ignore[arg-type]  # taken for its flags


def read(handle: IO[bytes], path: object, max_bytes: int) -> dict[str, Any]:
    """Reads the fields of an attribution, which are NumPy arrays then.

    Args:
        handle: An open file: NumPy leaves one of its own open when the archive is broken.
        path: What it is called, for messages.
        max_bytes: Most memory to unfold it to.

    Raises:
        InputError: Written by a later format, or too large.
        ValueError: Not a file written by `write`; a broken archive can fail in other ways, too.
    """
    with np.load(handle, allow_pickle=False) as file:
        _check_sizes(file.zip, max_bytes)
        arrays = {name: file[name] for name in file.files}
    return unpack(json.loads(str(arrays.pop("meta"))), arrays, path)


def _check_sizes(archive: zipfile.ZipFile, max_bytes: int) -> None:
    """Checks what every array claims to hold against what the archive holds for it."""
    total = 0
    for entry in archive.infolist():
        with archive.open(entry) as stream:
            version = np.lib.format.read_magic(stream)
            read_header = np.lib.format.read_array_header_1_0
            if version != (1, 0):
                read_header = np.lib.format.read_array_header_2_0
            shape, _, dtype = read_header(stream)
            claimed = math.prod(shape) * dtype.itemsize
            if claimed != entry.file_size - stream.tell():
                raise ValueError(f"{entry.filename} claims {claimed} bytes and holds others")
        total += claimed
    if total > max_bytes:
        raise InputError(
            f"the arrays take {total} bytes, more than max_bytes={max_bytes}; pass a larger "
            f"max_bytes if the file is yours"
        )
