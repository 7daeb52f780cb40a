"""DataFrames of any library, known by what they can do: none of them is imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.errors import InputTypeError
from polyattr.question.tables.coordinates import Coordinates

Array = np.ndarray[Any, Any]

_SHOWN = 3


def is_frame(value: object) -> bool:
    """Says whether a value is a DataFrame, of pandas, polars or another library."""
    kind = type(value)
    return all(hasattr(kind, name) for name in ("columns", "dtypes", "to_numpy"))


def read_frame(frame: Any, name: str) -> tuple[Array, Coordinates]:
    """Returns the numbers of a DataFrame (N, F), and the names of its columns and rows.

    Args:
        frame: Its columns are numbers or truth values.
        name: What it was given as.

    Raises:
        InputTypeError: A column holds something else.
    """
    columns, dtypes = [str(column) for column in frame.columns], list(frame.dtypes)
    wrong = [
        f"{column} ({dtype})"
        for column, dtype in zip(columns, dtypes, strict=True)
        if not _is_number(dtype)
    ]
    if wrong:
        more = ", ..." if len(wrong) > _SHOWN else ""
        raise InputTypeError(
            f"{name} is a table with {len(wrong)} of {len(columns)} columns that are no numbers: "
            f"{', '.join(wrong[:_SHOWN])}{more}; expected numbers, which have a gradient: encode "
            f"texts and categories as the model takes them, or leave the columns out"
        )
    array = np.asarray(frame.to_numpy())
    if array.dtype.kind != "f":  # of whole numbers, or of columns that may lack some
        array = np.stack([_column(frame, i) for i in range(len(columns))], axis=1)
    index = getattr(frame, "index", None)
    rows = None if index is None or callable(index) else tuple(map(str, index))
    return array, Coordinates(features=tuple(columns), rows=rows)


def _column(frame: Any, number: int) -> Array:
    if hasattr(frame, "iloc"):  # what is missing among whole numbers or truth values is NaN then
        part = frame.iloc[:, number]
        return np.asarray(part.to_numpy(dtype=np.float64, na_value=np.nan))
    return np.asarray(frame[:, number].to_numpy(), dtype=np.float64)


def _is_number(dtype: Any) -> bool:
    kind = getattr(dtype, "kind", None)
    if isinstance(kind, str):  # of NumPy, and of the extensions of pandas
        return kind in "biuf"
    tests = [getattr(dtype, name, None) for name in ("is_numeric", "is_float", "is_integer")]
    known = any(callable(test) and test() for test in tests)
    return known or str(dtype).casefold() in {"boolean", "bool"}
