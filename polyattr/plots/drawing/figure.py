"""Figures that pyplot does not know, and which show themselves in a notebook."""

from __future__ import annotations

import io
from functools import partial
from typing import TYPE_CHECKING, Literal

from polyattr.errors import InputTypeError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, FAINT, FRAME = "#222222", "#707070", "#c8c8c8"
SMALL, NORMAL = 7.5, 9.0


def new_figure(width: float, height: float) -> Figure:
    """Makes a figure outside pyplot's list of figures.

    Args:
        width: In inches.
        height: In inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing", "plots") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    # A notebook displays figures by itself only after pyplot was imported; this asks for no pyplot.
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def axes_for(ax: Axes | None, width: float, height: float) -> Axes:
    """Returns the axes given, or those of a new figure, which show it in a notebook.

    Args:
        ax: What the user gave; None for a new figure.
        width: Of a new figure, in inches.
        height: Likewise.

    Raises:
        InputTypeError: `ax` is something else.
        MissingExtraError: matplotlib is not installed.
    """
    if ax is None:
        figure = new_figure(width, height)
        axes = figure.add_subplot()
        vars(axes)["_repr_png_"] = partial(_png, figure)
        return axes
    if not hasattr(ax, "imshow") or not hasattr(ax, "transData"):
        raise InputTypeError(
            f"ax is a {type(ax).__name__}; expected matplotlib axes, such as the second of "
            f"`figure, ax = plt.subplots()`, or None for a new figure"
        )
    return ax


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def strip(axes: Axes) -> None:
    """Takes ticks off and makes the frame faint."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color=FRAME, linewidth=0.6)


def open_frame(axes: Axes, *sides: str) -> None:
    """Leaves the frame on these `sides` alone, with small ticks."""
    for side, spine in axes.spines.items():
        spine.set_visible(side in sides)
        spine.set(color="#909090", linewidth=0.7)
    axes.tick_params(axis="x", labelsize=SMALL)
    axes.tick_params(color="#909090", length=3)


def head(
    axes: Axes, lines: tuple[str, ...], title: str | None, loc: Literal["left", "right"] = "left"
) -> None:
    """Writes a title: what was given, or the `lines` of a result.

    Args:
        axes: Above which.
        lines: What a result says of itself.
        title: What the user gave in their place; None for nothing given.
        loc: Which side of the axes it begins or ends at: beside long names it would run over the
            right one.
    """
    size = SMALL + 0.5 if title is None else NORMAL
    said = "\n".join(lines).replace("$", r"\$") if title is None else title
    if said:
        axes.set_title(said, loc=loc, fontsize=size, color=INK, multialignment="left")
