"""Columns as a DataFrame."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.datasets.optional import library

Array = np.ndarray[Any, Any]


def as_frame(columns: dict[str, Array], index: Any) -> Any:
    """Makes a DataFrame of pandas; what has several numbers per row is a list of them.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    pandas = library("pandas", "a table as a batch", "pandas")
    flat = {
        name: column if column.ndim == 1 else list(column.reshape(len(column), -1))
        for name, column in columns.items()
    }
    return pandas.DataFrame(flat, index=None if index is None or callable(index) else index)
