"""The npz file of an attribution: how it is written, read, and checked against itself.

Arrays stand under the names of the fields of `Attribution`; the leaves of nested values are
numbered, and their containers described in JSON beside the settings. Nothing in it is executed.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Mapping
from os import PathLike
from typing import IO, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_count
from polyattr.question.structure import flatten

Array = np.ndarray[Any, Any]

# A reader passes over what it does not know, so further fields are no other format.
_FORMAT = 1
ALWAYS = ("scores", "error", "converged", "evaluations")
"""The fields that are one number per sample."""
SOMETIMES = ("baseline_scores", "completeness_gap", "bound")
"""The fields that are one number per sample, or None."""
PER_SAMPLE = (*ALWAYS, *SOMETIMES, "targets")
"""The fields with one entry per sample, or None."""


def write(path: str | PathLike[str], fields: Mapping[str, Any]) -> None:
    """Writes the fields of an attribution.

    Args:
        path: Where to write; ``.npz`` is appended if missing.
        fields: By name, on the host.

    Raises:
        InputError: Values in a dict whose keys are neither str nor int.
        InputTypeError: `path` is not one.
    """
    _check_path(path)
    arrays: dict[str, Array] = {}
    targets = fields["targets"]
    meta = {
        "format": _FORMAT,
        "layout": _pack(fields["values"], "values", arrays),
        "standard_error": _pack(fields["standard_error"], "standard_error", arrays),
        "method": fields["method"],
        "seed": fields["seed"],
        "backend": fields["backend"],
        "signed": fields["signed"],
        "targets": targets if isinstance(targets, str) else None,
    }
    once = {name: fields[name] for name in PER_SAMPLE if isinstance(fields[name], np.ndarray)}
    np.savez_compressed(path, meta=np.array(json.dumps(meta)), **arrays, **once)  # type: ignore[arg-type]  # taken for its flags


def read(path: str | PathLike[str], max_bytes: int) -> dict[str, Any]:
    """Reads the fields of an attribution, which are NumPy arrays then.

    Args:
        path: An npz file.
        max_bytes: Most memory to unfold it to.

    Raises:
        InputError: Not a file written by `write`, or by a later format, or too large.
        InputTypeError: `path` is not one, or `max_bytes` no int.
    """
    _check_path(path)
    check_count("max_bytes", max_bytes, 0)
    # Opened here, since NumPy leaves its own handle open when the archive is broken.
    with open(path, "rb") as handle:
        try:
            return _read(handle, path, max_bytes)
        except InputError:
            raise
        except Exception as error:  # a broken archive can fail in any of zipfile, zlib, json, NumPy
            raise InputError(
                f"path {path} is not an attribution saved by polyattr: {error}"
            ) from None


def _read(handle: IO[bytes], path: object, max_bytes: int) -> dict[str, Any]:
    with np.load(handle, allow_pickle=False) as file:
        _check_sizes(file.zip, max_bytes)
        arrays = {name: file[name] for name in file.files}
    meta = json.loads(str(arrays.pop("meta")))
    if meta["format"] > _FORMAT:
        raise InputError(f"{path} has format {meta['format']}; this polyattr reads {_FORMAT}")
    fields: dict[str, Any] = {name: arrays.get(name) for name in PER_SAMPLE}
    if fields["targets"] is None:
        fields["targets"] = meta["targets"]
    fields["values"] = _unpack(meta["layout"], arrays)
    fields["standard_error"] = _unpack(meta.get("standard_error"), arrays)
    fields |= {name: meta[name] for name in ("method", "seed", "backend")}
    fields["signed"] = meta.get("signed")  # earlier files do not say
    _check_fields(fields)
    return fields


def _check_path(path: object) -> None:
    # A number would be taken for an open file's descriptor, and closed.
    if not isinstance(path, str | bytes | PathLike):
        raise InputTypeError(f"path is {path!r}; expected a str or a path")


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


def _pack(value: Any, name: str, arrays: dict[str, Array]) -> Any:
    """Moves the leaves of a field to `arrays` and returns its containers as JSON."""
    if isinstance(value, dict):
        wrong = [key for key in value if type(key) not in {str, int}]
        if wrong:
            raise InputError(
                f"{name} is a dict with the key {wrong[0]!r} of type {type(wrong[0]).__name__}; "
                f"a file can keep keys of type str and int"
            )
        return {"dict": [[key, _pack(child, name, arrays)] for key, child in value.items()]}
    if isinstance(value, tuple | list):
        kind = "list" if isinstance(value, list) else "tuple"
        return {kind: [_pack(child, name, arrays) for child in value]}
    if value is None:
        return None
    numbered = f"{name}_{sum(n.startswith(f'{name}_') for n in arrays)}"
    # NumPy files know no bfloat16; widening it is exact.
    arrays[numbered] = value if value.dtype.kind in "biuf" else value.astype(np.float32)
    return numbered


def _unpack(layout: Any, arrays: dict[str, Array]) -> Any:
    if layout is None:
        return None
    if isinstance(layout, str):
        return arrays[layout]
    kind, children = next(iter(layout.items()))
    if kind == "dict":
        return {key: _unpack(child, arrays) for key, child in children}
    parts = [_unpack(child, arrays) for child in children]
    return parts if kind == "list" else tuple(parts)


def _check_fields(fields: Mapping[str, Any]) -> None:
    """Checks what was read against itself: a file may be whole and still not ours.

    Raises:
        ValueError: Something is missing, has another shape or is of another kind.
    """
    scores = fields["scores"]
    if scores is None or scores.ndim not in {1, 2}:
        raise ValueError("its scores are not one number per sample")
    for name in ALWAYS + SOMETIMES:
        array = fields[name]
        if array is None and name in SOMETIMES:
            continue
        if array is None or array.dtype.kind not in "biuf" or array.shape != scores.shape:
            raise ValueError(f"its {name} are not one number per sample")
    _check_values(fields["values"], fields["standard_error"])
    leaves = flatten(fields["values"], "values")[1]
    for array in (*leaves, fields["targets"]):
        if array is None or isinstance(array, str):  # targets that are no array
            continue
        if array.dtype.kind not in "biuf" or array.shape[: scores.ndim] != scores.shape:
            raise ValueError("its values or targets do not belong to its samples")
    texts = all(isinstance(fields[name], str) for name in ("method", "backend"))
    known = isinstance(fields["seed"], int | None) and isinstance(fields["signed"], bool | None)
    if not texts or not known:
        raise ValueError("its settings are not those of a method")


def _check_values(values: Any, standard_error: Any) -> None:
    structure, leaves = flatten(values, "values")
    if all(leaf is None for leaf in leaves):
        raise ValueError("its values are empty")
    if standard_error is None:
        return
    containers, errors = flatten(standard_error, "standard_error")
    shapes = [[None if leaf is None else leaf.shape for leaf in part] for part in (leaves, errors)]
    numbers = all(leaf is None or leaf.dtype.kind == "f" for leaf in errors)
    if containers.outline() != structure.outline() or shapes[0] != shapes[1] or not numbers:
        raise ValueError("its standard_error is not one number for each of its values")
