"""The small pictures of a comparison, and what explains the colours of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.colours import FOR, bar_colours, colour_map
from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.figure import FAINT, INK, strip
from polyattr.plots.drawing.marks import key_entries
from polyattr.plots.drawing.page import Page
from polyattr.plots.drawing.scale import Scale, scale_of
from polyattr.plots.image import HeatMap, draw_heat
from polyattr.plots.reading.samples import Sample

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Cell:
    """One sample of one method.

    Attributes:
        one: Its values.
        heat: Its map; None for features of a table.
        cmap: What the user chose.
    """

    one: Sample
    heat: HeatMap | None
    cmap: Any

    @property
    def scale(self) -> Scale:
        """The scale of its colours, or of its bars."""
        if self.heat is not None:
            return self.heat.scale
        return scale_of(self.one.values, signed=self.one.signed)

    @property
    def faded(self) -> int:
        """How many values cannot be told from zero."""
        values, errors = self.one.values, self.one.errors
        if self.heat is not None:
            values, errors = self.heat.values, self.heat.errors
        return int(unsure(values, errors).sum())


def draw_cell(axes: Axes, cell: Cell) -> None:
    """Draws a map, or the features of a table as small bars on a scale of their own."""
    if cell.heat is not None:
        draw_heat(axes, cell.heat, legend=False, bar=False)
        return
    one, scale = cell.one, cell.scale
    high, low, high_pale, low_pale = bar_colours(cell.cmap, signed=one.signed)
    pale = unsure(one.values, one.errors)
    values = np.nan_to_num(one.values, posinf=scale.high, neginf=scale.low)
    colours = [
        (low_pale if p else low) if v < 0 else (high_pale if p else high)
        for v, p in zip(values, pale, strict=True)
    ]
    axes.bar(np.arange(len(values)), values, width=0.8, color=colours)
    axes.axhline(0, color=INK, linewidth=0.5)
    axes.set_ylim(1.08 * scale.low, 1.08 * scale.high)
    strip(axes)


def legend(page: Page, x: float, y: float, cells: Sequence[Cell], *, far: bool) -> None:
    """Draws the scales that are in use, and says what is marked anywhere.

    Args:
        page: Where.
        x: Left edge, in inches.
        y: Middle of the first line.
        cells: Everything that is drawn.
        far: Whether some error is larger than was asked for.
    """
    for signed, ends in ((True, ("against", "0", "for the target")), (False, ("0", "", "most"))):
        own = [cell for cell in cells if cell.one.signed == signed]
        if not own:
            continue
        bar = page.panel(x, y - 0.06, 2.0, 0.12)
        colours = colour_map(own[0].cmap, signed=signed)
        bar.imshow(np.linspace(0, 1, 256)[None], cmap=colours, aspect="auto")
        strip(bar)
        sides = ("left", "center", "right")
        for place, text, side in zip((x, x + 1.0, x + 2.0), ends, sides, strict=True):
            page.write(place, y + 0.18, text, ha=side, fontsize=8, color=FAINT)
        x += 2.3
    page.write(x, y, "each map on a scale of its own", fontsize=8, color=FAINT)
    if far:
        page.write(x, y + 0.36, "red: error above the tolerance", fontsize=8, color=FOR)
    _marks(page, x, y + 0.18, cells)


def _marks(page: Page, x: float, y: float, cells: Sequence[Cell]) -> None:
    """Names what is marked in any of the maps."""
    named: dict[str, Any] = {}
    for cell in cells:
        found = colour_map(cell.cmap, signed=cell.one.signed)
        for colour, words in key_entries(found, cell.scale, cell.faded, cell.one.values.size):
            named.setdefault(words.partition(" ")[2].replace("above", "beyond the scale"), colour)
    named.pop("below", None)
    for words, colour in named.items():
        patch = page.panel(x, y - 0.05, 0.1, 0.1)
        patch.set_facecolor(colour)
        strip(patch)
        page.write(x + 0.15, y, words, fontsize=7.5, color=FAINT)
        x += 0.35 + 0.062 * len(words)
