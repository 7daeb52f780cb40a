"""Series, sequences and interactions: figures of `polyattr.plots`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.figure import new_figure
from polyattr.plots.interactions import interactions
from polyattr.plots.logo import logo
from polyattr.plots.reading.samples import Sample
from polyattr.plots.timeseries import draw_series, read_series
from polyattr.reports.pictures.encoded import drawing
from polyattr.reports.pictures.shown import Shown
from polyattr.reports.words import number, signed_number

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

SLOW = ("timeseries", "logo", "interactions")
"""The kinds that are drawn here."""
_ALPHABET = "ACGT"
"""What `logo` takes letters for."""
_DPI = (110, 96, 84, 72)
"""Dots per inch: the first with which all drawings fit is taken."""


def finest(few: list[Sample], kind: str, each: int) -> int:
    """Finds the dots per inch with which drawings take at most so many bytes."""
    figures = [_KINDS[kind](one) for one in few]
    for dpi in _DPI[:-1]:
        if max(drawing(figure, dpi).size for figure in figures) <= each:
            return dpi
    return _DPI[-1]


def drawing_of(one: Sample, kind: str, dpi: int) -> tuple[Shown, str]:
    """Draws one sample, and says what stands out."""
    return Shown(drawing(_KINDS[kind](one), dpi), style="drawing"), _strongest(one, kind)


def _series(one: Sample) -> Figure:
    found = read_series(one)
    figure = new_figure(5.0, 0.8 + 0.8 * len(found.values))
    draw_series(figure, found, "")
    return figure


def _logo(one: Sample) -> Figure:
    width = float(np.clip(0.9 + 0.15 * max(one.values.shape), 3.2, 15.0))
    figure = new_figure(width, 1.5)
    logo(one.values, one.inputs, ax=figure.add_subplot(), **_given(one))
    return figure


def _pairs(one: Sample) -> Figure:
    side = 1.6 + 0.24 * min(one.values.shape[-1], 20)
    figure = new_figure(side, side)
    named = one.names.features
    names = named if named and len(named) == one.values.shape[-1] else None
    interactions(one.values, ax=figure.add_subplot(), names=names, **_given(one))
    return figure


def _given(one: Sample) -> dict[str, Any]:
    return {"standard_error": one.errors, "signed": one.signed, "title": ""}


_KINDS: dict[str, Callable[[Sample], Figure]] = {
    "timeseries": _series,
    "logo": _logo,
    "interactions": _pairs,
}


def _strongest(one: Sample, kind: str) -> str:
    """Names the largest value, and its place as the picture has it."""
    size = np.abs(np.where(np.isfinite(one.values), one.values, 0.0))
    if not size.any():
        return "Nothing stands out."
    at = tuple(int(k) for k in np.unravel_index(int(size.argmax()), size.shape))
    value = float(one.values[at])
    said = signed_number(value) if one.signed else number(value)
    return f"The largest is {said}, {_PLACES[kind](one, at)}."


def _moment(one: Sample, at: tuple[int, ...]) -> str:
    if len(at) == 1:
        return f"at {at[0]}"
    known, shape = one.names.channels, one.values.shape
    axis = int(shape[1] <= shape[0])
    if known is not None and len(known) in shape:
        axis = shape.index(len(known))
        return f"of {known[at[axis]]} at {at[1 - axis]}"
    return f"of channel {at[axis]} at {at[1 - axis]}"


def _letter(one: Sample, at: tuple[int, ...]) -> str:
    axis = 1 if one.values.shape[1] == len(_ALPHABET) else 0
    return f"of {_ALPHABET[at[axis]]} at place {at[1 - axis]}"


def _pair(one: Sample, at: tuple[int, ...]) -> str:
    known = one.names.features
    named = [known[k] if known and len(known) == len(one.values) else f"feature {k}" for k in at]
    return f"of {' and '.join(named)}"


_PLACES: dict[str, Callable[[Sample, tuple[int, ...]], str]] = {
    "timeseries": _moment,
    "logo": _letter,
    "interactions": _pair,
}
