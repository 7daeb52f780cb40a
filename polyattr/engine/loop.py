"""The loop: a block of samples in rounds; tables are cut, tiles run, what they told sent back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.kernels import Workshop
from polyattr.engine.ledger import Entry, entry_of, told
from polyattr.engine.plan.course import Course
from polyattr.engine.plan.cut import Cut
from polyattr.engine.plan.one_round import only_table, second_table
from polyattr.engine.plan.pace import Pace
from polyattr.engine.plan.sheet import Sheet
from polyattr.engine.question import Question
from polyattr.engine.sums.ends import Finish, Finished, Start
from polyattr.engine.sums.kept import Kept, Sizes, grown
from polyattr.engine.sums.report import Report
from polyattr.engine.sums.spread import Errors
from polyattr.engine.supply import Supply
from polyattr.engine.tile import Block, Sheaf, State, Tile
from polyattr.sampling.errors.norm import Weights
from polyattr.sampling.recipe import Recipe
from polyattr.sampling.rows import Repeated, Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]
_FEWEST_PARTS = 16

Oracle = Callable[[Question], tuple[list[Tensor], Array]]
"""Attributions (R, ...) of the samples of a question, and the evaluations spent on each (R,)."""


@dataclass
class Rounds:
    """One recipe on one block of samples.

    Attributes:
        supply: What tiles are given: the method, and what is asked about the block's samples.
        inner: What finds attributions where the recipe takes those instead of gradients.
        tick: Told what share of the block is done, and what is being done, after each tile.
        wanted: Whether the errors of the values are wanted.
        pace: Tells whether there is time for another round; None where there always is.
        early: Reads a piece of a table that comes in pieces, once the next one runs.
        reports: What the block tells the host in one piece; none where it is read piece by piece.
    """

    supply: Supply
    inner: Oracle | None
    tick: Callable[[float, str], None] | None
    wanted: bool = False
    pace: Pace | None = None
    early: Callable[[Entry, Weights], None] | None = None
    entries: list[Entry] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    spent: Array = field(init=False)
    seen: Array = field(init=False)
    state: State = field(init=False)
    _block: Block = field(init=False)
    _course: Course | None = None

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.supply.backend

    @property
    def tools(self) -> Workshop:
        """What all blocks share."""
        return self.supply.tools

    @property
    def recipe(self) -> Recipe:
        """The method."""
        return self.supply.recipe

    @property
    def sheet(self) -> Sheet:
        """The shapes."""
        return self.supply.sheet

    @property
    def leaves(self) -> list[Tensor]:
        """The samples (M, ...) per input."""
        return self.supply.leaves

    def run(self, live: int) -> Weights:
        """Runs all rounds of the first `live` samples; returns the weights of the parts."""
        backend, recipe = self.backend, self.recipe
        self.spent = np.zeros(self.sheet.samples, dtype=np.int64)
        self._block = self.supply.block()
        if self.early is not None:
            return self._pieces(live, self.early)
        known = self.values, self.errors, self._kept
        sizes = Sizes(backend, live, *known, recipe.complete, self.pace)
        rounds = recipe.rounds(live, sizes)
        self._course = None if self.tick is None else Course(self.tick, live, recipe.one_round)
        rows = next(rounds)
        size = self.sheet.samples * (recipe.parts if recipe.one_round else _room(rows, recipe))
        self.seen = np.zeros(size)
        self.state = self._start(size)
        while True:
            first = len(self.entries)
            if self.pace is not None:
                self.pace.begin(len(rows))
            if self._course is not None:
                self._course.begin(rows)
            for made, sheaves in self.supply.cuts(rows, live, self.seen):
                self._run(made, sheaves)
            try:
                rows = rounds.send(told(self.entries[first:]))
            except StopIteration as end:
                weights: Weights = end.value
                return weights
            self._grow(_room(rows, recipe))
            if recipe.one_round:
                raise second_table(recipe)

    def _pieces(self, live: int, early: Callable[[Entry, Weights], None]) -> Weights:
        """Runs a table that all samples share, of which a piece at a time is held."""
        recipe = self.recipe
        one, weights = only_table(recipe, 1)
        rows, size = Repeated(one, live), self.sheet.samples * recipe.parts
        self.seen, self.state = np.zeros(size), self._start(size)
        if self.tick is not None:
            self._course = Course(self.tick, live, one_round=True)
            self._course.begin(rows)
        for made, sheaves in self.supply.cuts(rows, live, self.seen):
            self._run(made, sheaves)
            if len(self.entries) > 1:
                early(self.entries.pop(0), weights)
        return weights

    def _run(self, made: Cut, sheaves: Sequence[Sheaf] | None) -> None:
        """Runs the tiles of a table, and notes what its rows tell."""
        size = (2 * self.sheet.capacity,)
        log = self.backend.zeros(size, self.leaves[0], self.supply.real())
        self.state = self.state._replace(log=log)
        self._tiles(made, sheaves)
        self.entries.append(entry_of(made, self._log(self.state.log)))

    def _log(self, log: Tensor) -> Callable[[], Array]:
        """Returns what reads a log (2, C): on its own, or in the block's report."""
        # Not `self`, which has the entries: a circle would keep the tensors of the call.
        backend, reports = self.backend, self.reports

        def read() -> Array:
            return reports[0].log() if reports else backend.to_numpy(log).reshape(2, -1)

        return read

    # -- before the first tile --------------------------------------------------------------------

    def _grow(self, parts: int) -> None:
        """Makes room for so many parts: those that no row has come to yet have none."""
        size = self.sheet.samples * parts
        if size > len(self.seen):
            self.seen = np.pad(self.seen, (0, size - len(self.seen)))
            self.state = self.state._replace(parts=grown(self.backend, self.state.parts, size))

    def _kept(self) -> Kept:
        state = [parts[0] for parts in self.state.parts]
        return Kept(self.backend, self.tools.kernel, self.sheet.samples, state)

    def _start(self, size: int) -> State:
        recipe, starts = self.recipe, self.supply.starts()
        start = self.tools.fused(("start", recipe, size), Start(self.backend, recipe, size))
        parts, carry = start(self.leaves, starts)
        return State(parts, carry, None)

    # -- tiles ------------------------------------------------------------------------------------

    def _tiles(self, made: Cut, sheaves: Sequence[Sheaf] | None) -> None:
        add = self._adder(made)
        for tile, draws in enumerate(self.supply.noise(made)):
            sheaf = self.supply.sheaf(made, tile) if sheaves is None else sheaves[tile]
            self.state = add(sheaf._replace(noise=draws), tile)
            self.backend.settle([*(t for part in self.state.parts for t in part), self.state.log])
            if self._course is not None:
                self.backend.to_numpy(self.state.log)
                self._course.ran(tile, made)
        self._note(made)

    def _note(self, made: Cut) -> None:
        """Counts the rows of a table."""
        if made.table.kind.scores_only:
            return
        self.seen = made.seen
        if self.inner is None:
            np.add.at(self.spent, made.rows.sample, 1)

    def _adder(self, made: Cut) -> Callable[[Sheaf, int], State]:
        """Returns what adds one tile to the state."""
        (tile, key), tools = self.supply.tile(made), self.tools
        if made.table.kind.scores_only:
            look = tools.kernel(("look", *key), tile.look, donate=0)
            return lambda sheaf, _: look(self.state, self._block, sheaf)
        if self.inner is not None:
            return self._apart(tile, key, made, self.inner)
        kernel = tools.kernel(("tile", *key), tile.run, donate=0)
        return lambda sheaf, _: kernel(self.state, self._block, sheaf)

    def _apart(
        self, tile: Tile, key: tuple[object, ...], made: Cut, inner: Oracle
    ) -> Callable[[Sheaf, int], State]:
        """Returns what adds a tile whose attributions, instead of gradients, another run finds."""
        backend, beside = self.backend, self.supply.question.at([])
        place = self.tools.kernel(("place", *key), tile.place)
        fold = self.tools.kernel(("fold", *key), tile.fold, donate=0)

        def add(sheaf: Sheaf, number: int) -> State:
            points, velocity = place(self.state, self._block, sheaf)
            sample = made.whole[number, 0]
            values, spent = inner(beside.take(backend, sample, made.together).at(points))
            np.add.at(self.spent, sample, spent * made.real[number, 1].astype(np.int64))
            log = self.state.log
            # Nobody asked for scores at these points: NaN says so to a recipe that reads them.
            unknown = backend.zeros((len(sample),), log, backend.dtype(log)) + float("nan")
            state: State = fold(self.state, sheaf, unknown, values, velocity)
            return state

        return add

    # -- after the last tile -----------------------------------------------------------------------

    def finished(self, weights: Weights) -> tuple[list[Tensor], Errors | None]:
        """Returns the attributions (M, ...) per input, and if wanted how far off they may be."""
        if self.recipe.one_round and weights.value.ndim == 1:
            finish, alone = self._finish(), len(self.entries) == 1 and self.early is None
            log = self.state.log if alone and not self.tools.graph else None
            key = (*finish.key(weights, self.wanted), log is None)
            run = partial(finish.run, weights, errors=self.wanted)
            given = self.state.parts, self.leaves, self.supply.starts(), log
            return self._reported(self.tools.fused(key, run)(*given))
        values = self.values(weights.value)
        return values, self.errors(weights, values) if self.wanted else None

    def _reported(self, done: Finished) -> tuple[list[Tensor], Errors | None]:
        values, errors, packed = done
        if packed is not None:
            known = errors is not None, errors is not None and errors.bound is not None
            sizes = self.sheet.capacity, self.sheet.samples
            self.reports.append(Report(self.backend, packed, *sizes, *known))
        return values, errors

    def values(self, weights: Array) -> list[Tensor]:
        """Returns the attributions (M, ...) that `weights` (G,) or (N, G) of the parts give now."""
        return self._finish().values(weights, self.state.parts, self.leaves, self.supply.starts())

    def errors(self, weights: Weights, values: list[Tensor]) -> Errors | None:
        """Returns how far off each of the `values` may be; None where nothing tells it."""
        if weights.kinks is not None and not weights.others:
            return self._kept().errors(weights.kinks)
        sums = self.state.parts, self.leaves, self.supply.starts()
        return self._finish().errors(weights, values, *sums)

    def _finish(self) -> Finish:
        counts = self.seen.reshape(len(self.seen) // self.sheet.samples, -1)
        counts = counts[:, 0] if self.recipe.one_round else counts
        wide = self.entries[-1].rows.width is not None if self.entries else False
        return Finish(self.backend, self.recipe, counts, wide)


def _room(rows: Rows[Array], recipe: Recipe) -> int:
    """How many parts there has to be room for; a power of two, so that little is compiled."""
    most = int(rows.part.max()) if len(rows) else 0
    return min(recipe.parts, max(_FEWEST_PARTS, 1 << most.bit_length()))
