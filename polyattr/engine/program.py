"""A block whose rows fit one tile: planned once for all calls of a kind, run by one kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.engine.kernels import Key
from polyattr.engine.ledger import Entry, Reading, entry_of
from polyattr.engine.plan.cut import Cut
from polyattr.engine.plan.one_round import only_table
from polyattr.engine.sums.ends import Finish
from polyattr.engine.sums.one_tile import OneTile
from polyattr.engine.sums.report import Report
from polyattr.engine.sums.spread import Errors
from polyattr.engine.supply import Supply
from polyattr.engine.tile import Sheaf
from polyattr.sampling.errors.norm import Weights
from polyattr.sampling.rows import Rows

Array = np.ndarray[Any, Any]

Ran = tuple[list[Tensor], Errors | None, Entry, Report]
"""Attributions (M, ...) per input, their errors, and what the rows told."""


@dataclass(frozen=True)
class Program:
    """Everything about such a block but the values of its samples; it keeps none of a call's.

    Attributes:
        run: From samples to attributions.
        key: What its kernel is kept by.
        made: The rows as they were cut.
        sheaf: Their columns on the device; None where they may not stay there.
        weights: Of the parts.
        spent: (M,) gradient evaluations spent on each sample of the block.
        reading: What is made of what the rows tell.
    """

    run: OneTile
    key: Key
    made: Cut
    sheaf: Sheaf | None
    weights: Weights
    spent: Array
    reading: Reading

    def solve(self, supply: Supply) -> Ran:
        """Runs it on the samples of a block."""
        (draws,) = supply.noise(self.made)
        sheaf = supply.sheaf(self.made, 0) if self.sheaf is None else self.sheaf
        kernel = supply.tools.kernel(self.key, self.run)
        given = supply.block(), supply.starts(), sheaf._replace(noise=draws) if draws else sheaf
        values, errors, packed = kernel(*given)
        known = errors is not None, errors is not None and errors.bound is not None
        sizes = supply.sheet.capacity, supply.sheet.samples
        report = Report(supply.backend, packed, *sizes, *known)
        return values, errors, entry_of(self.made, report.log, self.reading), report


def fits_one_tile(supply: Supply) -> bool:
    """Whether one kernel can do all, from the samples of a block to their attributions."""
    recipe, sheet = supply.recipe, supply.sheet
    known = recipe.one_round and not recipe.sequential
    return known and not supply.tools.graph and sheet.capacity == sheet.rows


def plan_program(supply: Supply, live: int, wanted: bool) -> Program:
    """Plans a block that fits one tile.

    Args:
        supply: What is asked about the block's samples.
        live: How many of them are there, the first ones.
        wanted: Whether the errors of the values are wanted.
    """
    recipe, sheet = supply.recipe, supply.sheet
    seen = np.zeros(sheet.samples * recipe.parts)
    table: tuple[Rows[Array], Weights] = supply.tools.remember(
        ("rows", recipe, live), lambda: only_table(recipe, live)
    )
    rows, weights = table
    ((made, sheaves),) = supply.cuts(rows, live, seen)
    counts = made.seen.reshape(recipe.parts, -1)[:, 0]
    finish = Finish(supply.backend, recipe, counts, rows.width is not None)
    tile, key = supply.tile(made)
    run = OneTile(tile, finish, weights, len(seen), wanted)
    spent = np.bincount(rows.sample, minlength=sheet.samples)
    return Program(
        run,
        Key((*key, *finish.key(weights, wanted), run.size)),
        made,
        None if sheaves is None else sheaves[0],
        weights,
        spent,
        Reading.of(recipe, rows, weights),
    )
