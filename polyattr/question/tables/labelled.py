"""Arrays whose axes have names and coordinates, as those of xarray, which is not imported."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.question.tables.coordinates import Coordinates

Array = np.ndarray[Any, Any]

_CHANNELS = ("channel", "channels", "band", "bands", "variable", "variables", "lead", "leads")


def is_labelled(value: object) -> bool:
    """Says whether a value is an array with named axes and coordinates."""
    kind = type(value)
    return all(hasattr(kind, name) for name in ("dims", "coords", "dtype", "to_numpy"))


def read_labelled(array: Any) -> tuple[Array, Coordinates]:
    """Returns the numbers of a labelled array (N, ...), and what its coordinates say.

    The coordinates of the first axis are the samples', those of the second of two axes the
    features', and those of an axis called channel, band, variable or lead the channels'.
    """
    dims = tuple(map(str, array.dims))
    rows = _coordinates(array, 0) if dims else None
    if len(dims) == 2:
        return np.asarray(array.to_numpy()), Coordinates(features=_coordinates(array, 1), rows=rows)
    place = next((i for i in (1, len(dims) - 1) if i > 0 and dims[i : i + 1] in _ONE), None)
    channels = None if place is None else _coordinates(array, place)
    return np.asarray(array.to_numpy()), Coordinates(channels=channels, rows=rows)


_ONE = tuple((name,) for name in _CHANNELS)


def _coordinates(array: Any, axis: int) -> tuple[str, ...] | None:
    dim = array.dims[axis]
    if dim not in array.coords:
        return None
    return tuple(str(entry) for entry in np.asarray(array.coords[dim]).tolist())
