"""Marks of what has no place on a scale, what they mean, and the scale itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.colours import INFINITE, NAN, UNSURE
from polyattr.plots.drawing.figure import FAINT, FRAME, INK, SMALL
from polyattr.plots.drawing.scale import Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap

Array = np.ndarray[Any, Any]

_MOST_SIGNS = 400
"""Beyond this many, signs on marked pixels would run into each other; their colour is enough."""


def marked(axes: Axes, values: Array, scale: Scale, pool: int = 1) -> None:
    """Marks what has no place on the `scale` of a map (H, W) that is drawn on the axes.

    NaN is painted over and has a cross, infinity its sign; what is beyond the scale a triangle.
    Each value covers `pool` by `pool` pixels.
    """
    lost = ~np.isfinite(values)
    if lost.any():
        from matplotlib.colors import to_rgba

        layer = np.zeros((*values.shape, 4))
        layer[np.isnan(values)] = to_rgba(NAN)
        layer[np.isinf(values)] = to_rgba(INFINITE)
        height, width = (pool * side - 0.5 for side in values.shape)
        place = (-0.5, width, height, -0.5)
        axes.imshow(layer, extent=place, aspect=axes.get_aspect(), interpolation="nearest")
    with np.errstate(invalid="ignore"):
        signs = (
            ("x", np.isnan(values), INK, 1.0),
            ("+", np.isposinf(values), "white", 1.0),
            ("_", np.isneginf(values), "white", 1.0),
            ("^", (values > scale.high) & ~lost, "white", 0.35),
            ("v", (values < scale.low) & ~lost, "white", 0.35),
        )
    size = _sign_size(axes, values.shape)
    if sum(int(where.sum()) for _, where, *_ in signs) > _MOST_SIGNS:
        return
    for sign, where, colour, part in signs:
        y, x = np.nonzero(where)
        if len(x):
            thick = max(0.5, size**0.5 / 6) if part == 1.0 else 0.0
            across, down = ((at + 0.5) * pool - 0.5 for at in (x, y))
            axes.scatter(across, down, marker=sign, s=size * part, c=colour, linewidths=thick)


def _sign_size(axes: Axes, shape: tuple[int, ...]) -> float:
    """The area of a sign that fits into a pixel, in square points."""
    box = axes.get_window_extent()
    points = 72.0 / axes.figure.dpi
    pixel = min(box.width / shape[1], box.height / shape[0]) * points
    return float(np.clip(0.55 * pixel, 1.5, 14.0) ** 2)


def say_empty(axes: Axes, scale: Scale) -> None:
    """Says in the middle of a map that there is nothing to see, and why."""
    if scale.empty:
        axes.text(
            0.5,
            0.5,
            scale.empty,
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=SMALL + 1,
            color=FAINT,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5},
        )


def key_entries(
    colours: Colormap,
    scale: Scale,
    faded: int,
    size: int,
    *,
    clear: bool = False,
    ends: bool = False,
) -> list[tuple[Any, str]]:
    """Returns the colours that mark something, and what.

    Args:
        colours: Of the map.
        scale: Of the map.
        faded: How many values cannot be told from zero.
        size: How many there are.
        clear: Whether these are transparent instead of grey.
        ends: Whether to say where the scale ends, for maps without one beside them.
    """
    signed = scale.low < 0
    limits = [(colours(1.0), f"{scale.high:+.2g}" if signed else f"{scale.high:.2g}")]
    limits += [(colours(0.0), f"\N{MINUS SIGN}{-scale.low:.2g}")] if signed else []
    counted = (
        (colours.get_over(), scale.above, f"{scale.above} above"),
        (colours.get_under(), scale.below, f"{scale.below} below"),
        (NAN, scale.nan, f"{scale.nan} NaN"),
        (INFINITE, scale.plus, f"{scale.plus} +inf"),
        (INFINITE, scale.minus, f"{scale.minus} \N{MINUS SIGN}inf"),
        ("none" if clear else UNSURE, faded, f"{share(faded, size)} within 2 s.e. of 0"),
    )
    known = [(colour, words) for colour, count, words in counted if count]
    return (limits if ends and not scale.empty else []) + known


def share(part: int, whole: int) -> str:
    """Returns a part in per cent; one that is there is not 0."""
    return "<1%" if 0 < part < 0.005 * whole else f"{part / max(whole, 1):.0%}"


def key(
    axes: Axes,
    colours: Colormap,
    scale: Scale,
    faded: int,
    size: int,
    columns: int = 2,
    **options: bool,
) -> None:
    """Writes below the axes what is marked and how often; nothing where nothing is.

    Takes the arguments of `key_entries`, beside the axes and the most columns to write in.
    """
    entries = key_entries(colours, scale, faded, size, **options)
    if not entries:
        return
    from matplotlib.patches import Patch

    patches = [Patch(facecolor=c, edgecolor=FAINT, linewidth=0.4, label=w) for c, w in entries]
    legend = axes.legend(
        handles=patches,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=min(columns, len(patches)),
        frameon=False,
        fontsize=SMALL - 0.5,
        handlelength=0.9,
        handleheight=0.9,
        handletextpad=0.4,
        columnspacing=1.0,
        borderaxespad=0.35,
        borderpad=0.0,
        labelspacing=0.25,
        labelcolor=FAINT,
    )
    legend.set_in_layout(True)


def colour_bar(axes: Axes, drawn: ScalarMappable, scale: Scale) -> None:
    """Draws the scale beside the map, as tall as the map, with arrows where values lie beyond."""
    beside = axes.inset_axes((1.03, 0.0, 0.05, 1.0))
    extend = {(0, 0): "neither", (1, 0): "min", (0, 1): "max", (1, 1): "both"}
    bar = axes.figure.colorbar(
        drawn,
        cax=beside,
        ticks=scale.ticks,
        format="%.2g",
        extend=extend[int(scale.below > 0), int(scale.above > 0)],
    )
    bar.outline.set(edgecolor=FRAME, linewidth=0.6)
    beside.tick_params(labelsize=SMALL - 0.5, color=FRAME, length=2, labelcolor=INK)
