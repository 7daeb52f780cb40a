"""Features of a table as rows with bars, which the page draws itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.plots.drawing.bars import feature_names
from polyattr.plots.drawing.doubt import ERRORS, unsure
from polyattr.plots.reading.samples import Sample
from polyattr.plots.tabular import rank
from polyattr.reports.words import number, signed_number

Array = np.ndarray[Any, Any]

_MOST = 10
"""Features with a bar of their own."""
_LENGTH = 100.0
"""What the longest bar and its whisker reach."""


@dataclass(frozen=True)
class Bar:
    """A feature.

    Attributes:
        name: What it is called.
        given: What it was; "" where that is not known.
        value: Its attribution in words.
        error: Its standard error in words; "" where it is not known.
        x: Where the bar begins.
        width: How long it is.
        whisker: Where two standard errors begin and end; None where there are none.
        sign: "for", "against" or "size", with "unsure" behind it where it may be zero.
        left: Where the picture begins: left of zero where any bar points there.
    """

    name: str
    given: str
    value: str
    error: str
    x: str
    width: str
    whisker: tuple[str, str] | None
    sign: str
    left: str


def bars_of(one: Sample) -> tuple[Bar, ...]:
    """Ranks the features of a sample; those beyond the first stand in one row."""
    found = rank(one, _MOST)
    names = feature_names(None, one.names.features, one.values.shape)
    called = [names[k] if one.values.shape else "value" for k in found.order]
    given = [""] * len(called)
    if one.inputs is not None:
        given = [number(float(one.inputs.ravel()[k])) for k in found.order]
    if found.others:
        called.append(f"{found.others:,} others together")
        given.append("")
    reach = np.zeros(len(called))
    if found.errors is not None:
        reach = np.nan_to_num(ERRORS * found.errors, nan=0.0, posinf=0.0)
    shown = np.where(np.isfinite(found.values), found.values, 0.0)
    ends = float(np.max(np.abs(shown) + reach, initial=0.0)) or 1.0
    pale = unsure(found.values, found.errors)
    return tuple(
        Bar(
            called[k],
            given[k],
            _value(float(found.values[k]), one.signed),
            "" if found.errors is None else f"{found.errors[k]:.2g}",
            *_place(float(shown[k]), float(reach[k]), _LENGTH / ends),
            sign=_sign(float(shown[k]), one.signed) + (" unsure" if pale[k] else ""),
            left="-100" if one.signed else "0",
        )
        for k in range(len(called))
    )


def _value(value: float, signed: bool) -> str:
    if math.isinf(value):
        return "+infinite" if value > 0 else "-infinite"
    return signed_number(value) if signed else number(value)


def _place(value: float, reach: float, scale: float) -> tuple[str, str, tuple[str, str] | None]:
    x, width = min(0.0, value) * scale, abs(value) * scale
    ends = ((value - reach) * scale, (value + reach) * scale)
    whisker = (f"{ends[0]:.1f}", f"{ends[1]:.1f}") if reach else None
    return f"{x:.1f}", f"{width:.1f}", whisker


def _sign(value: float, signed: bool) -> str:
    if not signed:
        return "size"
    return "against" if value < 0 else "for"
