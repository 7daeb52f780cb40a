"""The demo's picture: one column per digit, one row per method."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.maps import FOR, colour_map, draw_map, new_figure, strip

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from polyattr.demo.findings import Explained, Shown

# Inches. Everything is placed by hand: automatic layouts waste half the page on so many panels.
CELL, PITCH, CAPTION = 0.92, 1.0, 0.2
LEFT, RIGHT, TOP, BOTTOM = 1.9, 0.2, 1.42, 0.62
BETWEEN_GROUPS = 0.28
INK, FAINT = "#222222", "#777777"


class Page:
    """A figure addressed in inches from its upper left corner."""

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
        """Writes text whose anchor is at (x, y)."""
        whole: dict[str, Any] = {"color": INK, "fontsize": 9, "va": "center"} | style
        self.figure.text(x / self.width, 1 - y / self.height, text, **whole)


_LONGEST = 19
"""Letters of a name that the margin holds."""


def draw(shown: Shown, explained: Sequence[Explained], framework: str) -> Figure:
    """Draws the digits and what each method says about them.

    Args:
        shown: The digits, the misread ones first.
        explained: One entry per method, in the order of the rows.
        framework: What ran, for the heading.

    Returns:
        A figure; signed maps on a red-white-blue scale whose white is zero, others from zero up.
    """
    columns = _columns(shown)
    *rows, end = _edges(explained)
    page = Page(columns[-1] + PITCH + RIGHT, end + BOTTOM)
    _heading(page, shown, framework)
    _groups(page, shown, columns)
    for column, image in zip(columns, shown.images, strict=True):
        axes = page.panel(column, TOP, CELL, CELL)
        axes.imshow(image, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")
        strip(axes)
    page.write(LEFT - 0.15, TOP + CELL / 2, "what the network saw", ha="right", color=FAINT)
    for row, entry in zip(rows, explained, strict=True):
        _method(page, entry, row, columns)
    _legend(page, explained, end + 0.2)
    return page.figure


def _columns(shown: Shown) -> list[float]:
    """Left edges; the misread digits stand a little apart."""
    wrong = shown.labels != shown.predicted
    apart = np.where(wrong | (not wrong.any()), 0.0, BETWEEN_GROUPS)
    return [float(x) for x in LEFT + np.arange(len(wrong)) * PITCH + apart]


def _edges(explained: Sequence[Explained]) -> list[float]:
    """Upper edge of each row, and where the last one ends; gaps need a line of text below."""
    edges = [TOP + PITCH + 0.12]
    for entry in explained:
        gaps = entry.attribution.completeness_gap
        edges.append(edges[-1] + PITCH + (0.0 if gaps is None else CAPTION))
    return edges


def _heading(page: Page, shown: Shown, framework: str) -> None:
    right = shown.held_out - len(shown.misread)
    page.write(0.2, 0.3, "Why the network read these digits as it did", fontsize=17, weight="bold")
    page.write(
        0.2,
        0.62,
        f"polyattr on {framework}. Real handwriting the network was not trained on: it reads "
        f"{right:,} of {shown.held_out:,} digits right. Every map explains the class it reads.",
        fontsize=10,
        color=FAINT,
    )


def _groups(page: Page, shown: Shown, columns: Sequence[float]) -> None:
    wrong = shown.labels != shown.predicted
    for group, title, colour in ((wrong, "misread", FOR), (~wrong, "read right", INK)):
        if not group.any():
            continue
        edges = np.array(columns)[group]
        page.write(edges[0], 0.96, title, color=colour, weight="bold", fontsize=10)
        line = page.panel(edges[0], 1.06, edges[-1] + CELL - edges[0], 0.012)
        line.set_facecolor(colour)
        strip(line)
    captions = zip(columns, shown.predicted, shown.labels, strict=True)
    for column, predicted, label in captions:
        middle = column + CELL / 2
        if predicted == label:
            page.write(middle, 1.25, f"reads {predicted}", ha="center")
        else:
            text = f"reads {predicted}, is {label}"
            page.write(middle, 1.25, text, ha="center", color=FOR, weight="bold")


def _method(page: Page, entry: Explained, row: float, columns: Sequence[float]) -> None:
    lines, middle = _in_lines(entry.method.name), row + CELL / 2
    for number, line in enumerate(reversed(lines)):
        place = middle - 0.09 - 0.16 * number
        page.write(LEFT - 0.15, place, line, ha="right", weight="bold")
    gist = entry.method.gist
    page.write(LEFT - 0.15, middle + 0.1, gist, ha="right", color=FAINT, fontsize=7.5)
    for column, values in zip(columns, entry.attribution.values, strict=True):
        draw_map(page.panel(column, row, CELL, CELL), values, signed=entry.method.signed)
    gaps = entry.attribution.completeness_gap
    if gaps is None:
        return
    below = row + CELL + CAPTION / 2 + 0.02
    page.write(LEFT - 0.15, below, "gap in logits (error of the map)", ha="right", fontsize=7.5)
    for column, gap, error in zip(columns, gaps, entry.attribution.error, strict=True):
        text = f"{gap:+.3f} ({error:.1%})"
        page.write(column + CELL / 2, below, text, ha="center", fontsize=7.5)


def _in_lines(name: str) -> list[str]:
    """Breaks a name too long for the margin before one of its words."""
    starts = [match.start() for match in re.finditer(r"(?<=[a-z])[A-Z]", name)]
    fitting = [at for at in starts if max(at, len(name) - at) <= _LONGEST]
    if len(name) <= _LONGEST or not fitting:
        return [name]
    return [name[: fitting[0]], name[fitting[0] :]]


def _legend(page: Page, explained: Sequence[Explained], y: float) -> None:
    x = LEFT
    if any(entry.method.signed for entry in explained):
        _scale(page, x, y, ("against the class", "0", "for the class"), signed=True)
        x += 4.2
    if not all(entry.method.signed for entry in explained):
        _scale(page, x, y, ("0", "", "matters most"), signed=False)
        x += 4.2
    page.write(x, y, "each map on a scale of its own", fontsize=8, color=FAINT)


def _scale(page: Page, x: float, y: float, ends: tuple[str, str, str], *, signed: bool) -> None:
    bar = page.panel(x, y - 0.06, 3.0, 0.12)
    bar.imshow(np.linspace(0, 1, 256)[None], cmap=colour_map(signed=signed), aspect="auto")
    strip(bar)
    sides = ("left", "center", "right")
    for place, text, side in zip((x, x + 1.5, x + 3.0), ends, sides, strict=True):
        page.write(place, y + 0.18, text, ha=side, fontsize=8, color=FAINT)
