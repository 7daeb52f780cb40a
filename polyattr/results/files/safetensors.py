"""The safetensors file of an attribution: every framework reads it, and memory is mapped to it.

Eight bytes say how long the header is; the header, JSON, says of each tensor its dtype, its shape
and where its bytes are. https://huggingface.co/docs/safetensors has the format.
"""

from __future__ import annotations

import json
import math
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import IO, Any

import numpy as np

from polyattr.errors import InputError
from polyattr.results.files.packed import Packed, unpack

Array = np.ndarray[Any, Any]

_META = "polyattr"
_MOST_HEADER = 100_000_000
"""No reader of the format takes a longer header."""
_DTYPES: Mapping[str, str] = MappingProxyType(
    {
        "BOOL": "bool",
        "U8": "uint8",
        "I8": "int8",
        "U16": "uint16",
        "I16": "int16",
        "U32": "uint32",
        "I32": "int32",
        "U64": "uint64",
        "I64": "int64",
        "F16": "float16",
        "F32": "float32",
        "F64": "float64",
    }
)
_NARROW = "BF16"


def write(path: str, packed: Packed) -> None:
    """Writes the parts of an attribution, all in the dtypes they have.

    The file is there as a whole or not at all: another of its name may be mapped right now, perhaps
    by what is written.

    Raises:
        InputError: An array of a dtype the format does not know.
    """
    parts = {name: _bytes(name, array, packed) for name, array in packed.arrays.items()}
    # Large items first: then each stands at a multiple of its size, and can be mapped as it is.
    order = sorted(parts, key=lambda name: -parts[name][1].dtype.itemsize)
    header: dict[str, Any] = {"__metadata__": {_META: json.dumps(packed.meta)}}
    start = 0
    for name in order:
        kind, array = parts[name]
        shape, end = packed.arrays[name].shape, start + array.nbytes
        header[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}
        start = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as handle:
            handle.write(len(text).to_bytes(8, "little") + text)
            for name in order:
                handle.write(parts[name][1].tobytes())
        os.replace(beside, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(beside)
        raise


def _bytes(name: str, array: Array, packed: Packed) -> tuple[str, Array]:
    """Returns the format's name of a dtype, and an array with the bytes to write."""
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if name in packed.narrow:  # the upper half of what it was widened to
        return _NARROW, (plain.view(np.uint32) >> 16).astype("<u2")
    for kind, dtype in _DTYPES.items():
        if dtype == array.dtype.name:
            return kind, plain
    raise InputError(
        f"{name} has dtype {array.dtype}, which safetensors does not know; save as npz"
    )


def read(handle: IO[bytes], path: object, max_bytes: int) -> dict[str, Any]:
    """Reads the fields of an attribution, whose arrays are mapped: read when they are looked at.

    What is bfloat16, which NumPy lacks, is read at once, and widened to float32.

    Args:
        handle: An open file.
        path: What it is called, for messages.
        max_bytes: Most memory for what is read at once.

    Raises:
        InputError: Written by a later format, or too large.
        ValueError: Not a file written by `write`.
    """
    size = os.fstat(handle.fileno()).st_size
    length = int.from_bytes(handle.read(8), "little")
    if length > min(size - 8, _MOST_HEADER):
        raise ValueError(f"its header claims {length} bytes of {size}")
    header = json.loads(handle.read(length).decode())
    meta = json.loads(header.pop("__metadata__")[_META])
    _check_places(header, size - 8 - length)
    wide = 2 * sum(e[1] - e[0] for e in (p["data_offsets"] for p in _narrow(header)))
    if length + wide > max_bytes:
        raise InputError(
            f"what is read at once takes {length + wide} bytes, more than max_bytes={max_bytes}; "
            f"pass a larger max_bytes if the file is yours"
        )
    # Pages of one's own: what is written to the arrays does not go to the file.
    data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_COPY)
    return unpack(
        meta, {name: _array(data, 8 + length, part) for name, part in header.items()}, path
    )


def _narrow(header: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in header.values() if part["dtype"] == _NARROW]


def _check_places(header: dict[str, Any], size: int) -> None:
    """Checks that each tensor has the bytes its shape needs, none shared and none left over.

    Raises:
        ValueError: It has not.
    """
    known = [*_DTYPES, _NARROW]
    for name, part in header.items():
        numbers = [*part["shape"], *part["data_offsets"]]
        if not all(type(number) is int and number >= 0 for number in numbers):
            raise ValueError(f"{name} has places that are no whole numbers")
        if part["dtype"] not in known:
            raise ValueError(f"{name} has dtype {part['dtype']}")
        start, end = part["data_offsets"]
        if end - start != math.prod(part["shape"]) * _itemsize(part["dtype"]):
            raise ValueError(f"{name} claims a shape {part['shape']} in {end - start} bytes")
    last = 0
    for start, end in sorted(part["data_offsets"] for part in header.values()):
        if start != last:
            raise ValueError("its tensors overlap, or leave bytes between them")
        last = end
    if last != size:
        raise ValueError(f"its tensors take {last} bytes of {size}")


def _itemsize(kind: str) -> int:
    return 2 if kind == _NARROW else np.dtype(_DTYPES[kind]).itemsize


def _array(data: mmap.mmap, offset: int, part: dict[str, Any]) -> Array:
    shape, start = tuple(part["shape"]), offset + part["data_offsets"][0]
    narrow = part["dtype"] == _NARROW
    dtype = np.dtype("<u2" if narrow else _DTYPES[part["dtype"]]).newbyteorder("<")
    if 0 in shape:
        return np.zeros(shape, np.float32 if narrow else dtype)
    mapped: Array = np.ndarray(shape, dtype, buffer=data, offset=start)
    if dtype.kind == "b":  # whose bytes may be anything here
        true: Array = mapped.view(np.uint8) != 0
        return true
    if not narrow:
        return mapped
    wide: Array = (mapped.astype(np.uint32) << 16).view(np.float32)
    return wide
