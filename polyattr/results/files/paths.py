"""Where an attribution is written to, and found again."""

from __future__ import annotations

import os
from os import PathLike
from typing import Any

from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_count
from polyattr.results.files import npz, safetensors
from polyattr.results.files.packed import pack
from polyattr.results.record import Record

Path = str | PathLike[str]

_SAFE = ".safetensors"
_SUFFIXES = (".npz", _SAFE)
_ZIP = b"PK\x03\x04"


def write(path: Path, record: Record) -> None:
    """Writes an attribution in the format its suffix names.

    Raises:
        InputError: It holds what a file cannot keep.
        InputTypeError: `path` is not one.
    """
    name = _text(path)
    # Taken apart before the file is opened: one that cannot be written leaves no half of it.
    packed = pack(record)
    if name.endswith(_SAFE):
        safetensors.write(name, packed)
    else:
        npz.write(_completed(name), packed)


def read(path: Path, max_bytes: int) -> dict[str, Any]:
    """Reads the fields of an attribution, which are NumPy arrays then.

    Args:
        path: What it was written to; ``.npz`` is appended where writing appended it.
        max_bytes: Most memory to unfold it to.

    Raises:
        InputError: Not a file written by `write`, or by a later format, or too large.
        InputTypeError: `path` is not one, or `max_bytes` no int.
    """
    name = _text(path)
    check_count("max_bytes", max_bytes, 0)
    found = _completed(name) if os.path.isfile(_completed(name)) else name
    # Opened here, since NumPy leaves its own handle open when the archive is broken.
    with open(found, "rb") as handle:
        archive = handle.read(len(_ZIP)) == _ZIP
        handle.seek(0)
        if not archive and not found.endswith(_SAFE):
            raise InputError(  # NumPy would take it for a pickle, and say how to load that unsafely
                f"path {path} is not an attribution saved by polyattr: it is no .npz archive, nor "
                f"called .safetensors; expected what result.save(path) wrote"
            )
        try:
            if archive:
                return npz.read(handle, path, max_bytes)
            return safetensors.read(handle, path, max_bytes)
        except InputError:
            raise
        except Exception as error:  # a broken archive can fail in any of zipfile, zlib, json, NumPy
            raise InputError(
                f"path {path} is not an attribution saved by polyattr: {error}"
            ) from None


def _completed(name: str) -> str:
    return name if name.endswith(_SUFFIXES) else f"{name}.npz"


def _text(path: object) -> str:
    # A number would be taken for an open file's descriptor, and closed.
    if not isinstance(path, str | bytes | PathLike):
        raise InputTypeError(f"path is {path!r}; expected a str or a path")
    return os.fsdecode(path)
