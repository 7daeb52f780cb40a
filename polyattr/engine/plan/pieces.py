"""Which blocks samples are cut into: of few sizes, where each size has to be compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from polyattr.engine.plan.sheet import (
    Sheet,
    balanced,
    first_rows,
    most_samples,
    plan_sheet,
    shared_rows,
    sheet_of,
)
from polyattr.sampling.drawing.draws import Draws
from polyattr.sampling.recipe import Recipe

_SIZES = 6
"""Most sizes of blocks that calls of up to a thousand samples meet, of whatever numbers."""
_RUNGS = (8, 32, 128, 512, 4, 16, 64, 2)
"""Sizes by how much they help: users' batches are powers of two."""
_MANY, _LARGE = 1000, 1500
"""From so many samples per block one size more helps; above the second number it is one that calls
of a thousand samples do not meet."""
_WIDEST = 512
"""Most samples per block where each has many rows: more would save nothing."""
_CALL, _FEW = 16, 2
"""On a CPU one more call costs as much as so small a part of the rows there are, and as so many
rows."""


class Piece(NamedTuple):
    """A block of samples.

    Attributes:
        first: Its first sample.
        live: How many it has; the rest of the block repeats the last one, and is cut off.
        sheet: Its shapes.
    """

    first: int
    live: int
    sheet: Sheet

    @property
    def tiles(self) -> int:
        """How many tiles it takes, where all rows are known in advance."""
        whole = self.sheet.capacity // self.sheet.rows
        return -(-self.live * whole // self.sheet.samples)


def plan_pieces(
    n: int,
    recipe: Recipe,
    batch_size: int | None,
    fan: int = 1,
    elements: int = 1,
    *,
    few: bool = False,
    call: int = 0,
) -> tuple[Piece, ...]:
    """Cuts `n` samples into blocks.

    Args:
        n: Number of samples.
        recipe: Says how many rows a sample has.
        batch_size: Most rows per gradient call; None for all in one call.
        fan: How many samples in a row differ in their targets alone.
        elements: Numbers in one sample, over all inputs.
        few: Whether blocks have to be of few sizes, whatever `n`: each size is compiled. Otherwise
            they are balanced.
        call: How many rows one more call costs at least; 0 on a CPU.
    """
    if not few or batch_size is None:
        sheet = plan_sheet(n, recipe, batch_size, fan, elements)
        starts = range(0, n, sheet.samples)
        return tuple(Piece(first, min(sheet.samples, n - first), sheet) for first in starts)
    together = shared_rows(fan, batch_size)
    pieces, first = [], 0
    most = batch_size // together
    for sheet in _sheets(n // fan, recipe, most, elements * fan, call // together):
        live = min(sheet.samples, n // fan - first)
        whole = sheet if fan == 1 else sheet.fanned(fan, together)
        pieces.append(Piece(first * fan, live * fan, whole))
        first += live
    return tuple(pieces)


def _sheets(samples: int, recipe: Recipe, rows: int, elements: int, call: int = 0) -> list[Sheet]:
    """Returns the blocks that so many `samples` are cheapest in, of `rows` per tile at most."""
    points = first_rows(recipe, 1)
    # What has many rows needs no larger blocks; what has one has no larger ones.
    largest = rows if points == 1 else min(most_samples(recipe, rows, elements), _WIDEST)
    plain = {size: sheet_of(size, recipe, rows) for size in ladder(largest, call)}
    sheets = {size: _of_fixed_draws(sheet, recipe) for size, sheet in plain.items()}
    worth = max(call, _FEW, min(rows, samples * points) // _CALL)
    price = partial(_price, {size: sheet.rows for size, sheet in sheets.items()}, points, worth)
    return [sheets[size] for size in _cheapest(samples, sorted(sheets, reverse=True), price)[1]]


def _of_fixed_draws(sheet: Sheet, recipe: Recipe) -> Sheet:
    """Gives every tile as many draws, however many of its block's samples are there."""
    if recipe.noise is None or not recipe.one_round:
        return sheet
    draws = len(set(np.asarray(recipe.table(1).draw).tolist()))
    every = draws if Draws(*recipe.noise).shared else draws * sheet.samples
    return replace(sheet, draws=min(sheet.rows, every))


def row_tiles(
    n: int, batch_size: int | None, *, few: bool, call: int = 0
) -> Iterator[tuple[int, int]]:
    """Cuts `n` rows into tiles: yields the first row and the size of each.

    Args:
        n: Number of rows.
        batch_size: Most rows per tile; None for one tile.
        few: Whether tiles have to be of few sizes, whatever `n`.
        call: How many rows one more call costs at least; 0 on a CPU.
    """
    if not few or batch_size is None:
        tiles, rows = balanced(n, batch_size or n)
        yield from ((tile * rows, rows) for tile in range(tiles))
        return
    sizes = sorted(ladder(batch_size, call), reverse=True)
    worth = max(call, _FEW, min(batch_size, n) // _CALL)
    price = partial(_price, {size: size for size in sizes}, 1, worth)
    first = 0
    for size in _cheapest(n, sizes, price)[1]:
        yield first, size
        first += size


def tile_rows(
    recipes: Sequence[Recipe], n: int, batch_size: int | None, *, few: bool, call: int = 0
) -> int:
    """Returns the most rows per gradient call for `n` samples.

    Args:
        recipes: The recipe, then those whose attributions it takes instead of gradients.
        n: Number of samples.
        batch_size: Most rows per gradient call.
        few: Whether blocks have to be of few sizes.
        call: How many rows one more call costs at least; 0 on a CPU.
    """
    outer, *inner = recipes
    pieces = plan_pieces(n, outer, batch_size, few=few, call=call)
    rows = max(piece.sheet.rows for piece in pieces)
    for recipe in inner:  # of a tile's rows, whose number is one of few
        rows = plan_sheet(rows, recipe, batch_size).rows
    return rows


def ladder(largest: int, call: int = 0) -> tuple[int, ...]:
    """Returns the few sizes that blocks of at most `largest` samples have.

    Where a `call` costs many rows, calls of a thousand samples may meet the largest, padded.
    """
    rungs, most = {1, largest}, _SIZES + (largest > _LARGE and not call)
    for rung in _RUNGS:
        fits = rung * 1.5 <= largest and (rung < _WIDEST or largest >= _MANY)
        if fits and len(rungs) < most:
            rungs.add(rung)
    return tuple(sorted(rungs))


def _price(rows: dict[int, int], points: int, call: int, size: int, live: int) -> float:
    """Says what a block costs, in rows of which `call` are worth one call."""
    # What begins and ends a block goes over all of its samples, live or not.
    tiles = -(-live * points // rows[size])
    return tiles * (rows[size] + call) + call + size / 8


def _cheapest(
    n: int, sizes: Sequence[int], price: Callable[[int, int], float]
) -> tuple[float, list[int]]:
    """Returns the price and the sizes of the blocks that `n` samples are cheapest in.

    Of each size, from the largest down, there are as many as go into what is left, or one more.
    """
    if n == 0:
        return 0.0, []
    size, *smaller = sizes
    whole, rest = divmod(n, size)
    before = whole * price(size, size)
    padded = before + (price(size, rest) if rest else 0), [size] * (whole + (rest > 0))
    if not smaller or not rest:
        return padded
    after, others = _cheapest(rest, smaller, price)
    found = [padded, (before + after, [size] * whole + others)]
    if whole == 1:
        found.append(_cheapest(n, smaller, price))
    return min(found, key=lambda choice: choice[0])
