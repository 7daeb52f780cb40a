"""NumPy's files: what a header claims is held against what is there before memory is taken."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np

from polyattr.cli.exits import InputFileError, WrongUseError
from polyattr.cli.inputs.samples import Array, Reading, Samples
from polyattr.cli.inputs.sizes import check_size
from polyattr.cli.lines import plain
from polyattr.errors import nearest


def read_npy(path: Path, reading: Reading) -> Samples:
    """Reads an array (N, ...).

    Raises:
        InputFileError: Not an array of numbers, or not as large as it claims.
    """
    with path.open("rb") as stream:
        _check_header(stream, str(path), path.stat().st_size, path, reading)
        stream.seek(0)
        return Samples(_load(stream, path))


def read_npz(path: Path, reading: Reading) -> Samples:
    """Reads one array of an archive, or several by name.

    Raises:
        InputFileError: Not an archive of arrays of numbers, or not as large as they claim.
        WrongUseError: It has several arrays, and none or an unknown one is named.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = {e.filename.removesuffix(".npy"): e for e in archive.infolist()}
            chosen = _choose(list(entries), path, reading)
            taken = sum(_claim(archive, entries[name], path, reading) for name in chosen)
            check_size(path, taken, reading)
            found = {}
            for name in chosen:
                with archive.open(entries[name]) as stream:
                    found[name] = _load(stream, path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputFileError(f"{str(path)!r} is no .npz archive: {plain(error)}") from error
    sizes = {name: len(array) for name, array in found.items()}
    if len(set(sizes.values())) > 1:
        said = ", ".join(f"{plain(name)}: {size}" for name, size in sizes.items())
        raise InputFileError(f"arrays of {str(path)!r} have other numbers of samples: {said}")
    return Samples(found[chosen[0]] if len(chosen) == 1 else found)


def _choose(names: list[str], path: Path, reading: Reading) -> list[str]:
    listed = plain(", ".join(names), 200) or "none"
    for name in reading.arrays:
        if name not in names:
            said = nearest(name, names, count=1)
            raise WrongUseError(f"{str(path)!r} has no array {name!r}.{said} It has: {listed}")
    if reading.arrays:
        return list(reading.arrays)
    if len(names) != 1:
        raise WrongUseError(
            f"{str(path)!r} has {len(names)} arrays: {listed}; name the input with --array, more "
            f"than once for a model with several inputs"
        )
    return names


def _claim(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, reading: Reading) -> int:
    with archive.open(entry) as stream:
        where = f"{path}, {plain(entry.filename, 60)}"
        return _check_header(stream, where, entry.file_size, path, reading)


def _check_header(stream: IO[bytes], where: str, size: int, path: Path, reading: Reading) -> int:
    """Returns the bytes that the numbers behind a header take.

    Args:
        stream: Where the header stands.
        where: What messages call it.
        size: Bytes of the whole, header included.
        path: The file.
        reading: How much may be taken.

    Raises:
        InputFileError: No header, objects behind it, or more or fewer bytes than it claims.
    """
    try:
        version = np.lib.format.read_magic(stream)
        older = version == (1, 0)
        read = np.lib.format.read_array_header_1_0 if older else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(stream)
    except Exception as error:  # a broken header can fail in NumPy, zlib, zipfile and the parser
        raise InputFileError(f"{where!r} is no array of NumPy: {plain(error, 120)}") from error
    if dtype.hasobject:
        raise InputFileError(
            f"{where!r} holds Python objects, which are never loaded, since that could run code; "
            f"expected numbers"
        )
    if dtype.kind not in "biufc" or not shape:
        raise InputFileError(f"{where!r} holds {dtype} of shape {shape}; expected numbers (N, ...)")
    claimed: int = math.prod(shape) * dtype.itemsize
    held = size - stream.tell()
    if claimed != held:
        raise InputFileError(
            f"{where!r} claims an array of shape {shape}, {claimed:,} bytes, and holds {held:,}"
        )
    check_size(path, claimed, reading)
    return claimed


def _load(stream: IO[bytes], path: Path) -> Array:
    try:
        found: Any = np.lib.format.read_array(stream, allow_pickle=False)
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise InputFileError(f"{str(path)!r} is broken: {plain(error, 120)}") from error
    array: Array = np.asarray(found)
    return array
