"""Lines that are named where they end, instead of in a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.figure import FRAME, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito's, which the colour-blind tell apart.
_PALETTE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#7f3c8d", "#555555")


def line_colours(cmap: Any, count: int) -> list[Any]:
    """Returns colours of `count` lines, from a colormap if the user gave one.

    Raises:
        InputError: No colormap has that name.
        InputTypeError: `cmap` is none.
        MissingExtraError: matplotlib is not installed.
    """
    if cmap is None:
        return [_PALETTE[i % len(_PALETTE)] for i in range(count)]
    colours = colour_map(cmap, signed=True)
    return [colours(i / max(1, count - 1)) for i in range(count)]


def name_lines(axes: Axes, lines: Sequence[tuple[float, str, Any]]) -> None:
    """Writes names to the right of the ends of lines, moved apart where they would overlap.

    Args:
        axes: Where the lines are, with their final limits.
        lines: Of each its last value, its name and its colour.
    """
    if not lines:
        return
    box = axes.get_window_extent()
    step = 1.35 * SMALL / 72 * axes.figure.dpi / box.height
    to_axes = axes.transData + axes.transAxes.inverted()
    right = axes.get_xlim()[1]
    ends = np.array([to_axes.transform((right, value))[1] for value, *_ in lines])
    order = np.argsort(-ends, kind="stable")
    places = np.clip(ends[order], 0, 1)
    for i in range(1, len(places)):
        places[i] = min(places[i], places[i - 1] - step)
    places += max(0.0, -float(places.min(initial=0.0)))  # a column that is too long goes up
    for place, i in zip(places, order, strict=True):
        _, name, colour = lines[i]
        axes.annotate(
            name,
            (1.0, float(ends[i])),
            xycoords="axes fraction",
            xytext=(1.04, float(place)),
            textcoords="axes fraction",
            fontsize=SMALL,
            color=colour,
            va="center",
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": FRAME, "linewidth": 0.6, "shrinkB": 0},
        )
