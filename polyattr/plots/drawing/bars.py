"""Horizontal bars with names and whiskers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError
from polyattr.plots.drawing.colours import INFINITE, NAN
from polyattr.plots.drawing.doubt import ERRORS, unsure
from polyattr.plots.drawing.figure import FAINT, INK, SMALL, open_frame
from polyattr.plots.reading.words import literal, shortened, texts_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

LONGEST = 28
"""Letters of a name beside a bar."""


@dataclass(frozen=True)
class Bars:
    """What a chart shows, from top to bottom.

    Attributes:
        values: (B,) lengths.
        errors: (B,) standard errors, or None.
        labels: What the bars are called.
        colours: Of positive and negative bars, and of both where they cannot be told from zero.
    """

    values: Array
    errors: Array | None
    labels: tuple[str, ...]
    colours: tuple[Any, Any, Any, Any]


def draw_bars(axes: Axes, bars: Bars, *, signed: bool) -> None:
    """Draws bars from zero, with whiskers of two standard errors.

    What is not finite has no length: it is written at zero, in the colour of its mark.

    Args:
        axes: Where.
        bars: What.
        signed: Whether zero keeps room on both sides, though all bars point one way.
    """
    places, shown = np.arange(len(bars.values)), np.nan_to_num(bars.values, posinf=0.0, neginf=0.0)
    pale = unsure(bars.values, bars.errors)
    high, low, high_pale, low_pale = bars.colours
    colours = [
        (low_pale if p else low) if v < 0 else (high_pale if p else high)
        for v, p in zip(bars.values, pale, strict=True)
    ]
    axes.barh(places, shown, height=0.72, color=colours)
    reach = np.zeros(len(shown))
    if bars.errors is not None:
        known = np.isfinite(bars.errors) & np.isfinite(bars.values)
        reach = np.where(known, ERRORS * np.nan_to_num(bars.errors), 0.0)
        drawn = reach > 0
        axes.errorbar(
            shown[drawn], places[drawn], xerr=reach[drawn], fmt="none", ecolor=INK, elinewidth=0.9,
            capsize=2.2, capthick=0.9,
        )  # fmt: skip
    for place in places[~np.isfinite(bars.values)]:
        _say(axes, float(bars.values[place]), int(place))
    axes.axvline(0, color=INK, linewidth=0.7)
    set_rows(axes, bars.labels)
    _limits(axes, shown, reach, signed=signed)
    open_frame(axes, "bottom")
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=5)
    if not shown.any() and np.isfinite(bars.values).all():
        axes.text(0.55, 0.5, "all zero", transform=axes.transAxes, color=FAINT, fontsize=SMALL + 1)


def set_rows(axes: Axes, labels: tuple[str, ...]) -> None:
    """Labels rows from top to bottom, in letters that fit; a few rows do not fill the axes."""
    rows = max(len(labels), 4)
    points = axes.get_window_extent().height / rows * 72 / axes.figure.dpi
    size = float(np.clip(0.8 * points, 3.5, SMALL))
    axes.set_yticks(np.arange(len(labels)), list(labels), fontsize=size, color=INK)
    axes.set_ylim(rows - 0.4, -0.6)


def _say(axes: Axes, value: float, place: int) -> None:
    text = "NaN" if math.isnan(value) else f"{value:+}".replace("-", "\N{MINUS SIGN}")
    axes.annotate(
        text,
        (0, place),
        xytext=(3, 0),
        textcoords="offset points",
        fontsize=SMALL,
        va="center",
        color=INK,
        bbox={
            "facecolor": NAN if math.isnan(value) else INFINITE,
            "edgecolor": "none",
            "pad": 1.0,
        },
    )


def _limits(axes: Axes, shown: Array, reach: Array, *, signed: bool) -> None:
    low, high = float((shown - reach).min(initial=0.0)), float((shown + reach).max(initial=0.0))
    room = 0.04 * ((high - low) or 1.0)
    least = -0.12 * high if signed else 0.0  # a glance shows that bars could have pointed there
    most = 0.12 * -low if signed else 0.0
    if not low and not high:
        least, most = -1.0 if signed else 0.0, 1.0
    axes.set_xlim(min(low - (room if low < 0 else 0), least), max(high + room, most))


def feature_names(names: Any, known: tuple[str, ...] | None, shape: Any) -> tuple[str, ...]:
    """Returns one name for each feature of samples of a `shape`.

    Args:
        names: What the user gave, or None.
        known: What a result calls them, or None.
        shape: Of one sample.

    Raises:
        InputTypeError: `names` are no texts.
        InputError: There are more or fewer.
    """
    count = math.prod(shape)
    texts = texts_for("names", names, count, "feature")
    if texts is None and known is not None and len(known) == count:
        texts = known
    if texts is not None:
        return texts
    if len(shape) < 2:
        return tuple(f"feature {i}" for i in range(count))
    return tuple(str(tuple(int(i) for i in place)) for place in np.ndindex(*shape))


def bar_labels(names: tuple[str, ...], values: Array | None, order: Array) -> tuple[str, ...]:
    """Returns the names of features in an `order`, with the `values` (F,) they had."""
    short = [literal(shortened(names[i], LONGEST)) for i in order]
    if values is None:
        return tuple(short)
    return tuple(f"{name} = {values[i]:.3g}" for name, i in zip(short, order, strict=True))


def check_some(count: int, what: str) -> None:
    """Checks that there is at least one.

    Raises:
        InputError: There is none.
    """
    if not count:
        raise InputError(f"there are no {what}; expected at least one")
