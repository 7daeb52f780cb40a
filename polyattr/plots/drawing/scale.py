"""Where a colour scale ends, what lies outside of it, and what has no place on it."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError

Array = np.ndarray[Any, Any]

PERCENTILE = 99.5
OUTLIER = 1.5
"""How many times the percentile the largest magnitude has to be for a scale to leave it out."""


@dataclass(frozen=True)
class Scale:
    """The scale of some values.

    Attributes:
        low: Its lower end: minus `high` where values have signs, so that zero is in the middle.
        high: Its upper end.
        below: Values under the lower end.
        above: Values over the upper end.
        nan: Values that are NaN.
        plus: Values that are plus infinity.
        minus: Values that are minus infinity.
        empty: "all zero" or "nothing finite" where there is nothing to see; else "".
    """

    low: float
    high: float
    below: int
    above: int
    nan: int
    plus: int
    minus: int
    empty: str

    @property
    def ticks(self) -> list[float]:
        """The ends and zero; that alone, where there is nothing to see."""
        if self.empty:
            return [0.0]
        return [self.low, 0.0, self.high] if self.low < 0 else [0.0, self.high]


def scale_of(values: Array, *, signed: bool, percentile: float = 100.0) -> Scale:
    """Finds the scale of `values` (...).

    It ends at the magnitude that `percentile` per cent of the finite values do not exceed, if there
    is one more than half as large again; else at the largest, and also where that percentile is 0,
    as of a map with a few values that are not.

    Args:
        values: In any shape.
        signed: Whether zero is in the middle, whatever the values are.
        percentile: Of magnitudes.
    """
    finite = values[np.isfinite(values)]
    size = np.abs(finite)
    largest = float(size.max()) if size.size else 0.0
    top = float(np.percentile(size, percentile, method="higher")) if size.size else 0.0
    top = largest if not top or largest <= OUTLIER * top else top
    low = -top if signed else 0.0
    return Scale(
        low=low if top else -1.0 if signed else 0.0,
        high=top or 1.0,  # a scale of no length is an error
        below=int((finite < low).sum()),
        above=int((finite > top).sum()),
        nan=int(np.isnan(values).sum()),
        plus=int(np.isposinf(values).sum()),
        minus=int(np.isneginf(values).sum()),
        empty="" if largest else "all zero" if size.size else "nothing finite",
    )


def check_percentile(percentile: Any) -> float:
    """Checks for a number above 0 and at most 100.

    Raises:
        InputTypeError: No number.
        InputError: Out of range.
    """
    if not isinstance(percentile, numbers.Real) or isinstance(percentile, bool):
        raise InputTypeError(f"percentile is {percentile!r}; expected a number, such as 99.5")
    if not 0 < float(percentile) <= 100:
        raise InputError(
            f"percentile is {percentile}; expected more than 0 and at most 100, which clips nothing"
        )
    return float(percentile)
