"""Arrays of xarray, in memory or read from files as they are needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Array, Batch
from polyattr.datasets.sources.source import Source


@dataclass(frozen=True)
class Labelled(Source):
    """A DataArray whose first dimension is that of rows.

    Attributes:
        array: The DataArray (N, ...).
        dtype: Of the inputs, or None for its own.
        ids: (N,) its first coordinate, or None.
        names: Of the features, if its second one names them.
    """

    array: Any
    dtype: str | None
    ids: Array | None
    names: list[str] | None
    kind = "xarray"
    anywhere = False  # what it is read from may be open here alone

    def __len__(self) -> int:
        return int(self.array.shape[0])

    def read(self, start: int, stop: int) -> Batch:
        """Reads a slice, and no more than that from a file."""
        values = np.asarray(self.array[start:stop].values, dtype=self.dtype)
        return Batch(values, None, None if self.ids is None else self.ids[start:stop])

    @property
    def features(self) -> list[str] | None:
        """The second coordinate."""
        return self.names
