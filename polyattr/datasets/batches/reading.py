"""Reading a batch: a dict of columns, a DataFrame, an array, or inputs with targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief, nearest

Array = np.ndarray[Any, Any]

_NAMES = ("id", "ids", "row", "index")
"""Columns that name rows, where nothing is said of them."""


@dataclass(frozen=True)
class Batch:
    """Rows that are explained together.

    Attributes:
        inputs: (n, ...).
        targets: (n, ...) what came with them, or None.
        ids: (n,) whole numbers or texts, or None.
    """

    inputs: Array
    targets: Array | None = None
    ids: Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)


@dataclass(frozen=True)
class Columns:
    """Which columns of a batch are what.

    Attributes:
        inputs: Name of one column, or names of several, which are stacked; None for all the others.
        targets: Name of a column, or None.
        ids: Name of a column, or None.
        dtype: Of the inputs; None keeps that of an array, and makes float32 of columns.
    """

    inputs: str | tuple[str, ...] | None = None
    targets: str | None = None
    ids: str | None = None
    dtype: str | None = None


def is_table(batch: object) -> bool:
    """Says whether a batch has columns by name: a dict, or a DataFrame of any library."""
    kind = type(batch)
    return isinstance(batch, Mapping) or (hasattr(kind, "columns") and hasattr(kind, "to_numpy"))


def read_batch(batch: Any, columns: Columns) -> Batch:
    """Reads one batch.

    Raises:
        InputTypeError: It is nothing that has rows.
        InputError: It lacks a column, or its parts differ in their number of rows.
    """
    if is_table(batch):
        found = _of_table(batch, columns)
    else:
        if columns.inputs is not None or columns.ids is not None:
            wanted = columns.inputs if columns.inputs is not None else columns.ids
            raise InputError(
                f"column {wanted!r} is asked for, and the batch is {type(batch).__name__}, which "
                f"has no columns; expected a dict or a DataFrame"
            )
        pair = isinstance(batch, tuple | list) and len(batch) in (1, 2) and _is_array(batch[0])
        parts = list(batch) if pair else [batch]
        inputs = _cast(as_array(parts[0], "inputs"), columns.dtype)
        found = Batch(inputs, as_array(parts[1], "targets") if len(parts) == 2 else None)
    if found.inputs.ndim < 1:
        raise InputError(f"the batch is {brief(batch)}; expected rows (n, ...)")
    for name, part in (("targets", found.targets), ("ids", found.ids)):
        if part is not None and len(part) != len(found):
            raise InputError(
                f"a batch has {len(found)} rows of inputs and {len(part)} of {name}; expected one "
                f"for each"
            )
    return found


def _is_array(value: object) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def as_array(value: Any, what: str) -> Array:
    """Makes an array of a tensor of any framework, a list, or a column of lists.

    Raises:
        InputTypeError: It holds texts, or rows of different sizes.
    """
    listed = not _is_array(value)
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        array = np.asarray(value)
        if array.dtype.hasobject and array.size:
            array, listed = np.stack([np.asarray(row) for row in array.reshape(-1)]), True
    except (ValueError, TypeError) as error:
        raise InputTypeError(f"{what} cannot be made an array (n, ...): {error}") from None
    if array.dtype.kind not in "biuf":
        raise InputTypeError(f"{what} is an array of {array.dtype}; expected numbers (n, ...)")
    # Lists of Python's floats say nothing of a precision.
    return array.astype(np.float32) if listed and array.dtype == np.float64 else array


def as_ids(value: Any) -> Array:
    """Makes ids (n,) of a column: whole numbers as int64, all others as texts."""
    array = np.asarray(value)
    if array.ndim != 1:
        raise InputError(f"ids have shape {array.shape}; expected one per row, (n,)")
    return array.astype(np.int64) if array.dtype.kind in "iub" else array.astype(str)


def _cast(array: Array, dtype: str | None) -> Array:
    return array if dtype is None or array.dtype == dtype else array.astype(dtype)


def names_of(table: Any) -> list[str]:
    """The columns of a dict or DataFrame, in their order."""
    return list(table.keys() if isinstance(table, Mapping) else table.columns)


def _of_table(table: Any, columns: Columns) -> Batch:
    names = names_of(table)
    for name in (columns.targets, columns.ids, *_listed(columns.inputs)):
        if name is not None and name not in names:
            shown = ", ".join(map(str, names[:12])) + (", ..." if len(names) > 12 else "")
            raise InputError(
                f"there is no column {name!r}.{nearest(name, map(str, names))} There are: {shown}"
            )
    ids_name = columns.ids
    if ids_name is None and not hasattr(table, "index"):
        ids_name = next((name for name in _NAMES if name in names), None)
    wanted = _inputs_of(table, columns, names, ids_name)
    if isinstance(wanted, str):
        inputs = _cast(as_array(_column(table, wanted), f"column {wanted!r}"), columns.dtype)
    else:
        kind = columns.dtype or "float32"
        parts = [as_array(_column(table, n), f"column {n!r}").astype(kind) for n in wanted]
        inputs = np.stack(parts, axis=-1)
    targets = None if columns.targets is None else as_array(table[columns.targets], "targets")
    if ids_name is not None:
        return Batch(inputs, targets, as_ids(table[ids_name]))
    index = getattr(table, "index", None)
    return Batch(inputs, targets, None if index is None or callable(index) else as_ids(index))


def _listed(inputs: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (inputs,) if isinstance(inputs, str) else inputs or ()


def _inputs_of(
    table: Any, columns: Columns, names: list[str], ids_name: str | None
) -> str | tuple[str, ...]:
    """The columns that are inputs: as asked, the only one that is left, or all that are left."""
    if columns.inputs is not None:
        return columns.inputs
    left = [name for name in names if name not in (ids_name, columns.targets)]
    if not left:
        raise InputError(f"the batch has the columns {names}, none of them inputs")
    if len(left) == 1:
        return left[0]
    wide = [name for name in left if np.ndim(_first(table, name)) > 0]
    if wide:
        raise InputError(
            f"several columns may be the inputs: {', '.join(map(str, left))}; say which with "
            f"inputs={wide[0]!r}"
        )
    return tuple(left)


def _column(table: Any, name: str) -> Any:
    column = table[name]
    return column.to_numpy() if hasattr(column, "to_numpy") else column


def _first(table: Any, name: str) -> Any:
    column = _column(table, name)
    return column[0] if len(column) else 0.0
