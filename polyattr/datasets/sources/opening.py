"""Which source something is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Batch, Columns, as_ids, is_table, names_of, read_batch
from polyattr.datasets.sources.files import Arrays
from polyattr.datasets.sources.images import ENDINGS, Images
from polyattr.datasets.sources.labelled import Labelled
from polyattr.datasets.sources.source import Held, Source
from polyattr.datasets.sources.tables import Parquet
from polyattr.errors import InputError, InputTypeError, brief

EXPECTED = (
    "an array, a DataFrame, an xarray DataArray, an iterable of batches, or the path of a .npy, "
    ".zarr, .parquet or .h5 file or of a folder of pictures"
)


def open_source(given: Any, columns: Columns) -> Source | Iterable[Any]:
    """Opens a source; an iterable of batches, which has no rows by number, stays one.

    Raises:
        InputTypeError: It is no source.
        InputError: There is no such file, no rows in it, or none of a kind that is known.
    """
    if isinstance(given, Source):
        return given
    if isinstance(given, str | PathLike):
        source: Source = _of_path(Path(fspath(given)).expanduser(), columns)
    elif is_table(given):
        batch = read_batch(given, columns)
        source = Held(batch, _stacked(given, columns, batch))
    elif hasattr(given, "coords") and hasattr(given, "dims"):
        source = _of_xarray(given, columns)
    elif isinstance(given, np.memmap) and _whole_npy(given):
        source = Arrays(Path(str(given.filename)), columns, "npy")
    elif hasattr(given, "shape") and hasattr(given, "dtype"):
        source = Held(read_batch(given, columns))
    elif isinstance(given, Iterable) and not isinstance(given, bytes):
        return given
    else:
        raise InputTypeError(f"source is {brief(given)}; expected {EXPECTED}")
    if not len(source):
        raise InputError(f"source has no rows: {brief(given)}; expected at least one")
    return source


def _stacked(table: Any, columns: Columns, batch: Batch) -> list[str] | None:
    if columns.inputs is not None and not isinstance(columns.inputs, str):
        return list(columns.inputs)
    names = [str(n) for n in names_of(table) if n not in (columns.ids, columns.targets)]
    return names if batch.inputs.ndim == 2 and batch.inputs.shape[1] == len(names) else None


def _whole_npy(given: np.memmap[Any, Any]) -> bool:
    """Says whether an array is all of a .npy file, so that other processes may map it again."""
    if given.filename is None or Path(str(given.filename)).suffix != ".npy":
        return False
    whole = np.load(str(given.filename), mmap_mode="r")
    return bool(whole.shape == given.shape and whole.dtype == given.dtype)


def _of_path(path: Path, columns: Columns) -> Source:
    if not path.exists():
        raise InputError(f"source is {str(path)!r}, where there is nothing; expected {EXPECTED}")
    ending = path.suffix.lower()
    if ending == ".npy":
        return Arrays(path, columns, "npy")
    if ending in (".h5", ".hdf5"):
        return Arrays(path, columns, "hdf5")
    if ending == ".zarr" or any((path / n).exists() for n in ("zarr.json", ".zarray", ".zgroup")):
        return Arrays(path, columns, "zarr")
    if ending == ".parquet" or any(path.glob("**/*.parquet")):
        return Parquet(path, columns)
    if path.is_dir() and any(p.suffix.lower() in ENDINGS for p in path.rglob("*")):
        return Images(path)
    raise InputError(f"source is {str(path)!r}, of no kind that is known; expected {EXPECTED}")


def _of_xarray(given: Any, columns: Columns) -> Source:
    """The first dimension is that of rows, and its coordinate names them."""
    if not hasattr(given, "dtype"):  # a Dataset
        variables = [str(name) for name in given.data_vars]
        name = columns.inputs if isinstance(columns.inputs, str) else None
        if name not in variables and len(variables) == 1:
            name = variables[0]
        if name not in variables:
            raise InputError(
                f"source is a Dataset of {', '.join(variables)}; say which are the inputs with "
                f"inputs='...'"
            )
        given = given[name]
    coords: Mapping[Any, Any] = given.coords
    first = given.dims[0]
    ids = as_ids(coords[first].values.astype(str)) if first in coords else None
    if ids is not None and coords[first].dtype.kind in "iu":
        ids = as_ids(coords[first].values)
    second = coords[given.dims[1]].values if given.ndim == 2 and given.dims[1] in coords else None
    names = None if second is None else [str(s) for s in second]
    return Labelled(given, columns.dtype, ids, names)
