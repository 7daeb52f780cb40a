"""Means over samples, and how certain they are."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def mean_and_error(values: Array) -> tuple[float, float]:
    """Returns the mean of values (N,) and its standard error, NaN for a single one.

    Values that are NaN, those of samples whose map is marked, are left out.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[~np.isnan(known)]
    if not known.size:
        return float("nan"), float("nan")
    error = known.std(ddof=1) / np.sqrt(known.size) if known.size > 1 else np.nan
    return float(known.mean()), float(error)
