"""The loop: a block of samples in rounds; tables are cut, tiles run, what they told sent back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.kernels import Workshop
from polyattr.engine.ledger import Entry, entry, told
from polyattr.engine.plan.cut import Cut, cut_all
from polyattr.engine.plan.sheet import Sheet
from polyattr.engine.question import Question
from polyattr.engine.sums.ends import Finish, Start
from polyattr.engine.sums.kept import Kept, Sizes, grown
from polyattr.engine.sums.spread import Errors
from polyattr.engine.tile import Block, Sheaf, State, Tile
from polyattr.errors import InputError
from polyattr.sampling.errors.norm import Weights
from polyattr.sampling.noise import stream_noise
from polyattr.sampling.recipe import Recipe
from polyattr.sampling.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = np.ndarray[Any, Any]
_KEPT_TILES = 64
"""Most tiles whose columns stay on the device between calls: memory must not grow with steps."""
_FEWEST_PARTS = 16

Oracle = Callable[[Question], tuple[list[Tensor], Array]]
"""Attributions (R, ...) of the samples of a question, and the evaluations spent on each (R,)."""


@dataclass
class Rounds:
    """One recipe on one block of samples.

    Attributes:
        tools: What all blocks share.
        recipe: The method.
        inner: What finds attributions where the recipe takes those instead of gradients.
        depth: How many recipes surround this one.
        question: What is asked about the block's samples.
        sheet: The shapes.
        tick: Told of each tile.
    """

    tools: Workshop
    recipe: Recipe
    inner: Oracle | None
    depth: int
    question: Question
    sheet: Sheet
    tick: Callable[[int, int], None] | None
    entries: list[Entry] = field(default_factory=list)
    spent: Array = field(init=False)
    seen: Array = field(init=False)
    state: State = field(init=False)
    _block: Block = field(init=False)

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.tools.scorer.backend

    @property
    def leaves(self) -> list[Tensor]:
        """The samples (M, ...) per input."""
        return self.question.inputs.leaves

    def run(self, live: int) -> Weights:
        """Runs all rounds of the first `live` samples; returns the weights of the parts."""
        backend, recipe = self.backend, self.recipe
        self.spent = np.zeros(self.sheet.samples, dtype=np.int64)
        sizes = Sizes(backend, live, self.values, self.errors, self._kept, recipe.complete)
        rounds = recipe.rounds(live, sizes)
        rows = next(rounds)
        size = self.sheet.samples * (recipe.parts if recipe.one_round else _room(rows, recipe))
        self.seen = np.zeros(size)
        self.state = self._start(size)
        self._block = self._shared()
        while True:
            first = len(self.entries)
            for made, sheaves in self._cuts(rows, live):
                log = backend.zeros((2 * self.sheet.capacity,), self.leaves[0], self._real())
                self.state = self.state._replace(log=log)
                self._tiles(made, sheaves)
                self.entries.append(entry(backend, made.rows, made.position, self.state.log))
            try:
                rows = rounds.send(told(self.entries[first:]))
            except StopIteration as end:
                weights: Weights = end.value
                return weights
            self._grow(_room(rows, recipe))
            if recipe.one_round:
                raise InputError(
                    f"{type(recipe).__name__} gave a second table, but says that it has one round; "
                    f"expected one_round to be False where rounds are chosen"
                )

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
        recipe, starts = self.recipe, self._starts()
        start = self.tools.fused(("start", recipe, size), Start(self.backend, recipe, size))
        parts, carry = start(self.leaves, starts)
        if any(carry) and not recipe.sequential:
            raise InputError(
                f"{type(recipe).__name__}.start gives samples something to take along, but their "
                f"rows come together; expected sequential = True and the turn of each row"
            )
        return State(parts, carry, None)

    def _shared(self) -> Block:
        question, references = self.question, self.question.references
        return Block(
            self.tools.scorer.bound.state(),
            self.leaves,
            [] if references is None else references.leaves,
            question.inputs.context(question.targets.columns),
        )

    def _real(self) -> str:
        wide = {self.backend.accumulator_dtype(leaf) for leaf in self.leaves}
        return "float64" if "float64" in wide else "float32"

    # -- columns ----------------------------------------------------------------------------------

    def _cuts(self, rows: Rows[Array], live: int) -> Iterator[tuple[Cut, Sequence[Sheaf] | None]]:
        references, recipe = self.question.references, self.recipe
        named = references is not None and references.origin == "named"
        origin = references.rows if references is not None and named else None

        def made() -> list[Cut]:
            return list(cut_all(rows, recipe, self.sheet, self.seen, origin))

        where = self.backend.device(self.leaves[0])
        if not recipe.one_round:
            cuts = made()
        else:
            fan = None
            if references is not None:
                fan = (references.origin, references.count, references.shared)
            key = (recipe, live, self.sheet, fan)
            cuts = self.tools.remember(("cut", *key), made)
            if where is not None and sum(c.tiles for c in cuts) <= _KEPT_TILES:
                native = self.tools.remember(
                    ("columns", *key, where, self._real()),
                    lambda: [[self._sheaf(c, t) for t in range(c.tiles)] for c in cuts],
                )
                yield from zip(cuts, native, strict=True)
                return
        for one in cuts:
            yield one, None

    def _sheaf(self, made: Cut, tile: int) -> Sheaf:
        """Brings the columns of a tile to the device."""
        backend, like, real = self.backend, self.leaves[0], self._real()
        segments, writers = made.segments[tile], made.writers
        return Sheaf(
            backend.to_native(made.whole[tile], like),
            backend.to_native(made.real[tile], like, real),
            [backend.to_native(segments, like, real)] if len(segments) else [],
            [],
            [] if writers is None else [backend.to_native(writers[tile], like)],
        )

    # -- tiles ------------------------------------------------------------------------------------

    def _tiles(self, made: Cut, sheaves: Sequence[Sheaf] | None) -> None:
        noise: Iterator[list[Tensor]] = iter([[]] * made.tiles)
        if self.recipe.noise is not None:
            ids, stock = self.question.row_ids, self.tools.stock
            asked = self.recipe.noise, made.draws, self.leaves, self.depth, ids, stock
            noise = stream_noise(self.backend, *asked)
        add = self._adder(made)
        for tile, draws in enumerate(noise):
            sheaf = self._sheaf(made, tile) if sheaves is None else sheaves[tile]
            self.state = add(sheaf._replace(noise=draws), tile)
            self.backend.settle([*(t for part in self.state.parts for t in part), self.state.log])
            if self.tick is not None:
                self.backend.to_numpy(self.state.log)
                self.tick(tile + 1, made.tiles)
        if made.table.kind.scores_only:
            return
        self.seen = made.seen
        if self.inner is None:
            np.add.at(self.spent, made.rows.sample, 1)

    def _adder(self, made: Cut) -> Callable[[Sheaf, int], State]:
        """Returns what adds one tile to the state."""
        question, references = self.question, self.question.references
        origin = "none" if references is None else references.origin
        layout, rule = question.inputs.layout, question.targets.rule
        tools = self.tools
        together = made.together if tools.scorer.shares(rule) else 1
        key = (self.recipe, layout, rule, made.table, origin, together)
        tile = Tile(tools.scorer, *key[:-1], tools.graph, together)
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
        backend, beside = self.backend, self.question.at([])
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

    def finished(self, weights: Weights, errors: bool) -> tuple[list[Tensor], Errors | None]:
        """Returns the attributions (M, ...) per input, and if wanted how far off they may be."""
        finish, given = self._finish(), (self.state.parts, self.leaves, self._starts())
        if self.recipe.one_round and weights.value.ndim == 1:
            key = finish.key(weights, errors)
            run = self.tools.fused(key, partial(finish.run, weights, errors=errors))
            found: tuple[list[Tensor], Errors | None] = run(*given)
            return found
        values = self.values(weights.value)
        return values, self.errors(weights, values) if errors else None

    def values(self, weights: Array) -> list[Tensor]:
        """Returns the attributions (M, ...) that `weights` (G,) or (N, G) of the parts give now."""
        return self._finish().values(weights, self.state.parts, self.leaves, self._starts())

    def errors(self, weights: Weights, values: list[Tensor]) -> Errors | None:
        """Returns how far off each of the `values` may be; None where nothing tells it."""
        if weights.kinks is not None and not weights.others:
            return self._kept().errors(weights.kinks)
        sums = self.state.parts, self.leaves, self._starts()
        return self._finish().errors(weights, values, *sums)

    def _finish(self) -> Finish:
        counts = self.seen.reshape(len(self.seen) // self.sheet.samples, -1)
        counts = counts[:, 0] if self.recipe.one_round else counts
        wide = self.entries[-1].rows.width is not None if self.entries else False
        return Finish(self.backend, self.recipe, counts, wide)

    def _starts(self) -> list[Tensor]:
        references = self.question.references
        return [] if references is None or references.count > 1 else references.leaves


def _room(rows: Rows[Array], recipe: Recipe) -> int:
    """How many parts there has to be room for; a power of two, so that little is compiled."""
    most = int(rows.part.max()) if len(rows) else 0
    return min(recipe.parts, max(_FEWEST_PARTS, 1 << most.bit_length()))
