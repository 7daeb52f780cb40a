"""What the page shows of one input of one sample, and in which words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.marks import share
from polyattr.plots.reading.samples import Sample
from polyattr.reports.pictures.bars import Bar, bars_of
from polyattr.reports.pictures.drawings import SLOW, drawing_of, finest
from polyattr.reports.pictures.maps import Budget, budget_for, input_of, map_of, strongest_ninth
from polyattr.reports.pictures.shown import Legend, Shown
from polyattr.reports.pictures.texts import Word, words_of
from polyattr.reports.reading import Part
from polyattr.reports.words import number, signed_number

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Picture:
    """What stands in a page for one input of one sample.

    Attributes:
        name: What the input is called among several; "" for the only one.
        images: Pictures, from left to right.
        bars: Rows of bars, for features of a table.
        words: Coloured words.
        legend: What colours mean; None where nothing is coloured.
        finding: What is to be seen, in a sentence.
    """

    name: str
    images: tuple[Shown, ...] = ()
    bars: tuple[Bar, ...] = ()
    words: tuple[Word, ...] = ()
    legend: Legend | None = None
    finding: str = ""


class Pictures:
    """Draws one input of samples, all of them with the same fineness.

    Args:
        part: The input.
        drawn: Which of the maps are drawn, of which all must fit into `most`.
        most: Bytes for all of them, before they are written as text.
    """

    def __init__(self, part: Part, drawn: list[int], most: int) -> None:
        self._part = part
        each = most // max(1, len(drawn))
        few = drawn[:: max(1, len(drawn) // 6)][:6]  # which tell how fine all can be
        self._budget = Budget()
        self._dpi = 100
        if part.kind == "image":
            self._budget = budget_for([part.one(i) for i in few], each)
        elif part.kind in SLOW:
            self._dpi = finest([part.one(i) for i in few[:2]], part.kind, each)

    def of(self, i: int, called: str) -> Picture:
        """Draws one map.

        Args:
            i: Which of the T * N maps.
            called: The sample in words.
        """
        part, one = self._part, self._part.one(i)
        draw: dict[str, Callable[[Sample, str], Picture]] = {
            "image": self._image,
            "text": self._text,
            "tabular": self._tabular,
        }
        if not part.kind:
            shape = " x ".join(map(str, part.shape))
            return Picture(part.name, finding=f"Maps of {shape} numbers have no picture here.")
        return draw.get(part.kind, self._drawing)(one, called)

    def _image(self, one: Sample, called: str) -> Picture:
        shown, legend, values = map_of(one, self._budget.pool)
        said = f"{sums_of(one)} {strongest_ninth(values)}{_doubt(legend.unsure)}"
        images = [] if one.inputs is None else [input_of(one.inputs, called, self._budget)]
        alt = f"Map of {called}. {said}"
        return self._made([*images, shown.described(alt)], legend=legend, finding=said)

    def _text(self, one: Sample, called: str) -> Picture:
        words, legend, finding = words_of(one)
        said = f"{sums_of(one)} {finding}{_doubt(legend.unsure)}"
        return self._made([], words=words, legend=legend, finding=said)

    def _tabular(self, one: Sample, called: str) -> Picture:
        said = f"{sums_of(one)}{_doubt(_share_of_unsure(one))}"
        return self._made([], bars=bars_of(one), finding=said)

    def _drawing(self, one: Sample, called: str) -> Picture:
        shown, finding = drawing_of(one, self._part.kind, self._dpi)
        said = f"{sums_of(one)} {finding}{_doubt(_share_of_unsure(one))}"
        alt = f"Picture of {called}. {said}"
        return self._made([shown.described(alt)], finding=said)

    def _made(self, images: list[Shown], **more: Any) -> Picture:
        return Picture(self._part.name, tuple(images), **more)


def sums_of(one: Sample) -> str:
    """Says what the values of a sample sum to, of each sign where they have signs."""
    values = one.values[np.isfinite(one.values)]
    if not values.size:
        return "No value is finite."
    total = float(values.sum())
    if not one.signed:
        return f"Values sum to {number(total)}."
    up, down = float(values[values > 0].sum()), float(values[values < 0].sum())
    return (
        f"Values sum to {signed_number(total)}: {signed_number(up)} for the score, "
        f"{signed_number(down)} against it."
    )


def _share_of_unsure(one: Sample) -> str:
    if one.errors is None:
        return ""
    return share(int(unsure(one.values, one.errors).sum()), one.values.size)


def _doubt(part: str) -> str:
    """Says how many values may be nothing; nothing where no error is known."""
    if not part:
        return ""
    many = "None" if part == "0%" else part
    return f" {many} of the values are within two standard errors of 0."
