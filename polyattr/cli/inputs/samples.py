"""What was read, before it becomes what the model takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Samples:
    """The samples of one input.

    Attributes:
        values: An array (N, ...), several of them by name, or for pictures a list of N arrays
            (H, W, 3) of 8-bit RGB, whatever their sizes.
        rows: What samples are called, one each, or None.
        features: What the columns of a table are called, or None.
        pictures: Whether these are pictures, to be brought to size, layout and range.
    """

    values: Any
    rows: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    pictures: bool = False

    def __len__(self) -> int:
        values = self.values
        first = next(iter(values.values())) if isinstance(values, dict) else values
        return len(first)


@dataclass(frozen=True)
class Reading:
    """What the user says about a file.

    Attributes:
        arrays: Names of the arrays of an .npz to take.
        drop: Columns of a table that are no features.
        columns: The only columns to take, in this order; none takes all.
        id_column: The column that names the samples.
        header: Whether the first line of a table names its columns.
        max_bytes: Most memory to take for what a file claims to hold.
    """

    arrays: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    id_column: str | None = None
    header: bool = True
    max_bytes: int = 2**30
