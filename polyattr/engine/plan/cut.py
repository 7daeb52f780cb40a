"""Cutting tables of rows into tiles of equal shape, planned on the host before they run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.engine.plan.sheet import Sheet
from polyattr.errors import InputError
from polyattr.sampling.drawing.draws import needed
from polyattr.sampling.folded import in_place
from polyattr.sampling.recipe import Recipe
from polyattr.sampling.rows import Repeated, Rows, Table, present

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Cut:
    """A table cut into tiles, with everything the engine adds to its columns.

    Attributes:
        rows: The table, (R,) each.
        position: (R,) where in the log each row is told of.
        table: Which columns it has.
        whole: (T, a, R) whole numbers per tile: sample, segment, place in the log, the same for
            slopes, then slot and origin where there are any, the table's and the statistic's.
        real: (T, b, R) numbers per tile: weight and validity, the table's and the statistic's.
        segments: (T, c, S) numbers per segment that the statistic asked for.
        draws: (K,) noise draws of each tile, or (2, K) with the sample first where each has its
            own; empty without noise.
        together: How many rows in a row share a point; 1 where none do.
        writers: (T, M) which row writes what a sample takes along: M + its number in the tile, or
            the sample itself where it keeps what it has. None where nothing is taken along.
        seen: (S,) rows per segment when this table has been folded.
    """

    rows: Rows[Array]
    position: Array
    table: Table
    whole: Array
    real: Array
    segments: Array
    draws: list[Array]
    together: int
    writers: Array | None
    seen: Array

    @property
    def tiles(self) -> int:
        """Number of tiles, T."""
        return len(self.whole)

    def in_order(self, samples: int) -> bool:
        """Whether each tile has as many `samples`, each once, as they stand in their block."""
        return in_place(self.whole[:, 0], samples)

    @property
    def in_place(self) -> bool:
        """Whether each tile has a row for every segment, as they stand in the state."""
        return in_place(self.whole[:, 1], len(self.seen))


def cut_all(
    rows: Rows[Array] | Repeated,
    recipe: Recipe,
    sheet: Sheet,
    seen: Array,
    origin: Callable[[Array, Array | None], Array] | None = None,
) -> Iterator[Cut]:
    """Cuts a table into tiles, and again wherever the log is full.

    Args:
        rows: The table.
        recipe: Supplies the statistic, and says whether rows are noisy or go step by step.
        sheet: The shapes.
        seen: (S,) rows per segment that were folded before.
        origin: Says which reference each row starts from; None where a tile need not know.
    """
    # A sequential recipe never has two rows of a sample in one tile: a turn ends its tile.
    # What all samples share has no turns.
    turns = _turns(rows) if isinstance(rows, Rows) and recipe.sequential else np.zeros(0)
    edges = [0, *(np.flatnonzero(turns) + 1).tolist(), len(rows)]
    pairs = itertools.pairwise(edges)
    starts = np.concatenate([np.arange(a, b, sheet.rows) for a, b in pairs])
    ends = np.array(edges)[np.searchsorted(edges, starts, "right")]
    stops = np.minimum(starts + sheet.rows, ends)
    most = sheet.capacity // sheet.rows
    for first in range(0, len(starts), most):
        a, b = starts[first : first + most], stops[first : first + most]
        if isinstance(rows, Rows) and len(starts) <= most:
            part = rows
        else:
            part = rows.take(np.arange(a[0], b[-1]))
        _check_ranges(part, recipe, sheet)
        made = _cut(part, a - a[0], b - a[0], recipe, sheet, seen, origin)
        seen = made.seen
        yield made


def _check_ranges(rows: Rows[Array], recipe: Recipe, sheet: Sheet) -> None:
    """Checks that rows belong to samples and parts there are.

    Raises:
        InputError: They do not.
    """
    for name, column, size in (
        ("sample", rows.sample, sheet.samples),
        ("part", rows.part, recipe.parts),
    ):
        if len(column) and not 0 <= column.min() <= column.max() < size:
            raise InputError(
                f"{type(recipe).__name__} gave rows with {name} from {column.min()} to "
                f"{column.max()}; expected 0 to {size - 1}"
            )


def _turns(rows: Rows[Array]) -> Array:
    """Returns where one turn ends and the next begins: not zero there.

    Raises:
        InputError: The rows have no turns, or a sample comes twice in one.
    """
    if rows.turn is None:
        raise InputError(
            "a sequential recipe gave rows without turn; expected the number of each row's step, "
            "ascending, and each sample at most once in a step"
        )
    steps = np.diff(rows.turn)
    twice = len(np.unique(np.stack([rows.turn, rows.sample]), axis=1).T) < len(rows)
    if twice or (steps < 0).any():
        raise InputError(
            "a sequential recipe gave turns that are not ascending, or a sample twice in one; "
            "expected each sample at most once in a step"
        )
    return steps


def _cut(
    rows: Rows[Array],
    starts: Array,
    stops: Array,
    recipe: Recipe,
    sheet: Sheet,
    seen: Array,
    origin: Callable[[Array, Array | None], Array] | None,
) -> Cut:
    """Cuts the tiles that begin and end at `starts` and `stops` (T,)."""
    index = starts[:, None] + np.arange(sheet.rows)
    flat = np.arange(index.size).reshape(index.shape)
    # Rows past the end repeat the last one with weight 0: same shape, nothing recompiled.
    there = index < stops[:, None]
    valid, index = there.astype(np.float64), np.minimum(index, stops[:, None] - 1)
    table = present(rows)
    own = {name: getattr(rows, name)[index] for name in table.names}
    own["sample"] = _in_order(own["sample"], there, sheet.samples, recipe)
    segment = own["part"] * sheet.samples + own["sample"]
    factors = recipe.statistic.plan(segment, valid, seen)
    draws, slots = _draws(own, recipe, sheet)
    whole = [own["sample"], segment, flat, flat + sheet.capacity, *slots]
    if origin is not None:
        whole.append(origin(own["sample"], own.get("reference")))
    whole += [own[name] for name in table.names[: table.whole]]
    real = [own["weight"] * valid, valid, *(own[n] for n in table.names[table.whole :])]
    return Cut(
        rows,
        flat[there],
        table,
        np.concatenate([np.stack(whole, axis=1), factors.whole], axis=1).astype(np.int32),
        np.concatenate([np.stack(real, axis=1), factors.real], axis=1),
        factors.segments,
        draws,
        1 if recipe.sequential else _together(own, sheet.together),
        _writers(own["sample"], valid, sheet.samples) if recipe.sequential else None,
        seen + np.bincount(segment.ravel(), valid.ravel(), len(seen)),
    )


def _in_order(sample: Array, there: Array, samples: int, recipe: Recipe) -> Array:
    """Has padding (T, R) stand for its places, where a block that is full has its samples so."""
    whole = np.arange(samples)
    # Of a sample that is not there, noise would have to be drawn.
    alike = recipe.noise is None and sample.shape[1] == samples
    fits = alike and bool((sample == whole)[there].all())
    return np.broadcast_to(whole, sample.shape) if fits else sample


def _together(own: dict[str, Array], most: int) -> int:
    """Says how many rows in a row share a point: as many as the sheet allows, or one."""
    if most == 1:
        return 1
    # Samples that share a point stand side by side, and their rows have the same columns.
    others = (own[name] for name in own if name != "sample")
    groups = [column.reshape(-1, most) for column in (own["sample"] // most, *others)]
    return most if all((group == group[:, :1]).all() for group in groups) else 1


def _writers(sample: Array, valid: Array, samples: int) -> Array:
    """Says where in [what samples have, what rows bring] each sample finds what it takes along."""
    found = np.tile(np.arange(samples), (len(sample), 1))
    tile, row = np.nonzero(valid)
    found[tile, sample[tile, row]] = samples + row
    return found.astype(np.int32)


def _draws(own: dict[str, Array], recipe: Recipe, sheet: Sheet) -> tuple[list[Array], list[Array]]:
    """Finds the draws each tile needs, and where its rows find theirs; nothing without noise."""
    if recipe.noise is None:
        return [], []
    most = sheet.draws if recipe.one_round else sheet.rows
    draws, slot = needed(recipe.noise, own["draw"], own["sample"], sheet.samples, most)
    return draws, [slot]
