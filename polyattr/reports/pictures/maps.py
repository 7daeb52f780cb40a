"""Maps of pictures, with a pixel for each of their cells, and the pictures themselves."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.painted import painted
from polyattr.plots.drawing.pictures import channels_last, shown_input
from polyattr.plots.image import HeatMap, heat_map
from polyattr.plots.reading.samples import Sample
from polyattr.reports.pictures.encoded import Encoded, cells, photo
from polyattr.reports.pictures.shown import Legend, Shown, legend_of
from polyattr.reports.words import part

Array = np.ndarray[Any, Any]

_FINEST, _COARSEST = 112, 20
"""Cells along the longer side of a map: at most, and at least."""
_OF_MAP = 0.4
"""Part of the bytes for the map, where the input stands beside it."""
_PLACES = (
    *("upper left", "upper middle", "upper right"),
    *("middle left", "middle", "middle right"),
    *("lower left", "lower middle", "lower right"),
)


@dataclass(frozen=True)
class Budget:
    """How fine pictures are drawn.

    Attributes:
        pool: How many pixels a cell of the map sums, along each side.
        photo: Bytes for the picture beside it.
        first: How coarse that is at least.
    """

    pool: int = 1
    photo: int = 60_000
    first: int = 0


def budget_for(few: list[Sample], each: int) -> Budget:
    """Finds how fine all maps can be.

    Args:
        few: Samples that stand for all.
        each: Bytes for one sample.
    """
    shape = channels_last("values", few[0].values).shape
    beside = few[0].inputs is not None
    most = each * _OF_MAP if beside else each
    pool = max(1, math.ceil(max(shape[:2]) / _FINEST))
    spent = _spent(few, pool)
    while spent > most and max(shape[:2]) / (pool + 1) >= _COARSEST:
        pool += 1
        spent = _spent(few, pool)
    left = min(60_000, max(1_500, int(each - spent)))
    pictures = [one.inputs for one in few if one.inputs is not None]
    first = min((_encoded(picture, Budget(pool, left))[1] for picture in pictures), default=0)
    return Budget(pool, left, first)


def _spent(few: list[Sample], pool: int) -> float:
    return float(np.mean([map_of(one, pool)[0].image.size for one in few]))


def map_of(one: Sample, pool: int) -> tuple[Shown, Legend, Array]:
    """Draws the map of one sample: its image, its legend, and its cells (H, W)."""
    found = heat_map(replace(one, inputs=None), pool=pool)
    errors = None if found.errors is None else found.errors.ravel()
    colours = painted(found.values.ravel(), errors, found.scale, found.colours)
    image = cells(colours[:, :3].reshape(*found.values.shape, 3))
    return Shown(image, caption="attribution", sharp=True), _legend(found), found.values


def _legend(found: HeatMap) -> Legend:
    faded = None
    if found.errors is not None:
        faded = int(unsure(found.values, found.errors).sum())
    note = f"Each cell sums {found.pool} x {found.pool} pixels." if found.pool > 1 else ""
    return legend_of(found.scale, found.colours, faded, found.values.size, note)


def input_of(picture: Array, called: str, budget: Budget) -> Shown:
    """Draws what was explained, as fine as there are bytes for it."""
    image, _ = _encoded(picture, budget)
    height, width = channels_last("inputs", picture).shape[:2]
    alt = f"Input of {called}, {width} x {height} pixels."
    return Shown(image, alt, "input", sharp=image.src.startswith("data:image/png"))


def _encoded(picture: Array, budget: Budget) -> tuple[Encoded, int]:
    return photo(shown_input(channels_last("inputs", picture)), budget.photo, budget.first)


def strongest_ninth(values: Array) -> str:
    """Says where a map (H, W) has most of its magnitude."""
    size = np.abs(np.where(np.isfinite(values), values, 0.0))
    total = float(size.sum())
    if not total:
        return "Nothing stands out."
    if min(values.shape) < 3:
        y, x = np.unravel_index(int(size.argmax()), size.shape)
        return f"The largest is at row {y}, column {x}."
    rows, columns = (np.array_split(np.arange(length), 3) for length in values.shape)
    blocks = [float(size[np.ix_(r, c)].sum()) for r in rows for c in columns]
    at = int(np.argmax(blocks))
    return f"Most in the {_PLACES[at]} ninth: {part(blocks[at] / total)} of the magnitude."
