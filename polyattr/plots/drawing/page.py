"""A figure addressed in inches, where everything is placed by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from polyattr.plots.drawing.figure import INK, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Page:
    """A figure addressed in inches from its upper left corner.

    Automatic layouts waste half the page on many small panels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.figure = new_figure(width, height)
        self.figure.set_layout_engine("none")
        self.width, self.height = width, height

    def panel(self, x: float, y: float, width: float, height: float) -> Axes:
        """Adds axes whose upper left corner is at (x, y)."""
        low = self.height - y - height
        return self.figure.add_axes(
            (x / self.width, low / self.height, width / self.width, height / self.height)
        )

    def write(self, x: float, y: float, text: str, **style: Any) -> None:
        """Writes text whose anchor is at (x, y); dollars stand for themselves."""
        whole: dict[str, Any] = {"color": INK, "fontsize": 9, "va": "center"} | style
        self.figure.text(x / self.width, 1 - y / self.height, text, parse_math=False, **whole)
