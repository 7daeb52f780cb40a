"""What is compiled: one tile's points, gradients and their fold into the running statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from polyattr.backend import GradBackend, Score, Tensor
from polyattr.engine.sums.spread import in_all
from polyattr.question.layout import Context, Layout
from polyattr.question.references import Origin
from polyattr.sampling.folded import Folded
from polyattr.sampling.recipe import Carry, Recipe, Spot
from polyattr.sampling.rows import Rows, Table
from polyattr.scores.reductions import Rule
from polyattr.scores.scorer import Scorer, check_gradient


class State(NamedTuple):
    """What the tiles so far added up to.

    Attributes:
        parts: The statistic's state per input.
        carry: What the block's samples took along, per input.
        log: (2 C,) scores, then slopes, of every row; None before the first round, and where there
            is a single tile.
    """

    parts: list[tuple[Tensor, ...]]
    carry: list[Carry]
    log: Any


class Block(NamedTuple):
    """What all tiles of a block share.

    Attributes:
        parameters: The model's parameters.
        x: Samples of the block, (M, ...) per input.
        references: (S, ...) per input, where paths start; empty without.
        context: Targets, and what the model takes beside the samples.
    """

    parameters: Any
    x: list[Tensor]
    references: list[Tensor]
    context: Context


class Sheaf(NamedTuple):
    """The columns of one tile as they travel: few tensors, taken apart inside.

    Attributes:
        whole: (a, R) whole numbers.
        real: (b, R) numbers.
        segments: One tensor (c, S) of numbers per segment; empty where the statistic has none.
        noise: The tile's draws, (K, ...) per input; empty without.
        writers: One tensor (M,) that says which row writes what a sample takes along; or empty.
    """

    whole: Tensor
    real: Tensor
    segments: list[Tensor]
    noise: list[Tensor]
    writers: Sequence[Tensor] = ()


class _Columns(NamedTuple):
    sample: Tensor
    place: tuple[Tensor, Tensor]
    slot: Any
    origin: Any
    rows: Rows[Tensor]
    folded: Folded
    writers: Sequence[Tensor]


class Placed(NamedTuple):
    """The points of a tile and how fast they move, (R, ...) per input; no velocity, no path."""

    points: list[Tensor]
    velocity: list[Tensor]


@dataclass(frozen=True)
class Tile:
    """Pure functions of tensors; the attributes are compiled into them.

    Attributes:
        scorer: Model and operator.
        recipe: The method.
        layout: How the model is called.
        rule: How outputs become scores.
        table: Which columns the rows have.
        origin: How a row finds where its path starts, as `References.origin` says.
        graph: Whether gradients stay differentiable.
        together: How many rows in a row share a point, and differ in their targets alone.
        in_order: Whether the rows are the samples, each once, as they stand in the block.
        in_place: Whether the rows belong to the segments, each to one, as they stand in the state.
    """

    scorer: Scorer
    recipe: Recipe
    layout: Layout
    rule: Rule
    table: Table
    origin: Origin
    graph: bool
    together: int = 1
    in_order: bool = False
    in_place: bool = False

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.scorer.backend

    def run(self, state: State, block: Block, sheaf: Sheaf) -> State:
        """Adds one tile to the state: place, differentiate, step, fold."""
        columns = self._columns(sheaf)
        placed = self._place(state, block, columns, sheaf.noise)
        context = self._beside(block, columns)
        scores, gradients = self.differentiate(block.parameters, placed.points, context)
        return self._fold(state, columns, scores, gradients, placed.velocity)

    def look(self, state: State, block: Block, sheaf: Sheaf) -> State:
        """Notes the scores of one tile; no gradient is taken, and nothing added."""
        columns = self._columns(sheaf)
        points = self._place(state, block, columns, sheaf.noise).points
        score = self._score(block.parameters, self._beside(block, columns))
        scores = self.backend.value(score, points)
        # A score that is not finite is told of as a slope that is not.
        return state._replace(log=self._logged(state.log, columns, scores, [scores * 0]))

    def place(self, state: State, block: Block, sheaf: Sheaf) -> Placed:
        """The first half of `run`, for rows whose gradients another run finds."""
        return self._place(state, block, self._columns(sheaf), sheaf.noise)

    def fold(
        self,
        state: State,
        sheaf: Sheaf,
        scores: Tensor,
        gradients: list[Tensor],
        velocity: list[Tensor],
    ) -> State:
        """The second half of `run`."""
        return self._fold(state, self._columns(sheaf), scores, gradients, velocity)

    def differentiate(
        self, parameters: Any, points: list[Tensor], context: Context
    ) -> tuple[Tensor, list[Tensor]]:
        """Returns scores (R,) and gradients (R, ...) in the dtype of the accumulators."""
        if self.together > 1:
            return self._differentiate_each(parameters, points, context)
        scores, gradients = self._grad(self._score(parameters, context), points)
        return scores, self._wide(gradients, points)

    @property
    def _grad(self) -> Callable[..., tuple[Tensor, Sequence[Tensor | None]]]:
        return self.backend.differentiable_grad if self.graph else self.backend.grad

    def _score(self, parameters: Any, context: Context) -> Score:
        score, layout, rule = self.scorer.score, self.layout, self.rule
        return lambda leaves: score(layout, rule, parameters, leaves, context)

    def _differentiate_each(
        self, parameters: Any, points: list[Tensor], context: Context
    ) -> tuple[Tensor, list[Tensor]]:
        """Evaluates each point once, and goes back from it once with every target."""
        backend, every = self.backend, self.together

        def shared(leaves: list[Tensor], number: int = 0) -> list[Tensor]:
            return [leaf[number::every] for leaf in leaves]

        at, beside = shared(points), context.rows(shared)
        contexts = [beside._replace(goals=shared(context.goals, t)) for t in range(every)]
        scores, gradients = backend.grad_each(
            lambda x: self.scorer.score_each(self.layout, self.rule, parameters, x, contexts),
            at,
            every,
        )
        groups = int(at[0].shape[0])
        index = np.arange(groups * every).reshape(every, groups).T.ravel().astype(np.int32)
        back = backend.to_native(index, points[0])

        def in_turn(parts: Sequence[Tensor]) -> Tensor:
            return backend.batch(backend.concat(list(parts)), back)

        wide = [self._wide(found, at) for found in gradients]
        return in_turn(scores), [in_turn(parts) for parts in zip(*wide, strict=True)]

    def _wide(self, gradients: Sequence[Tensor | None], points: list[Tensor]) -> list[Tensor]:
        """The gradients in the dtype of the accumulators, zeros where there are none."""
        backend, wide = self.backend, []
        for gradient, row in zip(gradients, points, strict=True):
            # An input the score does not reach has no gradient; its attribution is zero.
            found = row * 0 if gradient is None else gradient
            check_gradient(found, row, backend)
            wide.append(backend.cast(found, backend.accumulator_dtype(row)))
        space = self.layout.space
        return wide if space is None else space.gradients(backend, wide)

    def _columns(self, sheaf: Sheaf) -> _Columns:
        split = self.backend.unstack
        whole, real = list(split(sheaf.whole)), list(split(sheaf.real))
        segments = [values for tensor in sheaf.segments for values in split(tensor)]
        sample, segment, *places = whole[:4]
        rest = whole[4:]
        slot = rest.pop(0) if self.recipe.noise is not None else None
        origin = rest.pop(0) if self.origin == "named" else sample
        count = len(self.table.names) - self.table.whole
        own = [*rest[: self.table.whole], *real[2 : 2 + count]]
        rows = self.table.build(own)
        kept, factors = rest[self.table.whole :], real[2 + count :]
        folded = Folded(segment, real[0], real[1], kept, factors, segments, rows, self.in_place)
        place = places[0], places[1]
        return _Columns(sample, place, slot, origin, rows, folded, sheaf.writers)

    def _place(self, state: State, block: Block, columns: _Columns, noise: list[Tensor]) -> Placed:
        batch, points, velocity = self.backend.batch, [], []
        for i, leaf in enumerate(block.x):
            start = block.references[i] if block.references else None
            if self.origin == "named" or (self.origin == "sample" and not self.in_order):
                start = batch(start, columns.origin)
            carry = tuple(batch(part, columns.sample) for part in state.carry[i])
            draw = batch(noise[i], columns.slot) if noise else None
            x = leaf if self.in_order else batch(leaf, columns.sample)
            spot = Spot(x, start, draw, carry, columns.rows, self._grad)
            point, speed = self.recipe.place(self.backend, spot)
            points.append(point)
            velocity += [] if speed is None else [speed]
        return Placed(points, velocity)

    def _beside(self, block: Block, columns: _Columns) -> Context:
        if self.in_order:
            return block.context
        batch, sample = self.backend.batch, columns.sample
        return block.context.rows(lambda leaves: [batch(leaf, sample) for leaf in leaves])

    def _fold(
        self,
        state: State,
        columns: _Columns,
        scores: Tensor,
        gradients: list[Tensor],
        velocity: list[Tensor],
    ) -> State:
        backend, statistic = self.backend, self.recipe.statistic
        here = [tuple(backend.batch(t, columns.sample) for t in c) for c in state.carry]
        pairs = zip(gradients, velocity, strict=False)
        flow = [self.recipe.flow(backend, g, v) for g, v in pairs]
        shares, carry = self.recipe.step(backend, columns.rows, scores, gradients, flow, here)
        parts = [
            statistic.update(backend, part, share, columns.folded)
            for part, share in zip(state.parts, shares, strict=True)
        ]
        # What a map should sum to f(x) - f(b) by is what rows add to it, by whatever rule.
        along = shares if self.recipe.complete else flow
        log = self._logged(state.log, columns, scores, self._slopes(gradients, along))
        return State(parts, self._carried(state.carry, carry, columns), log)

    def _logged(self, log: Any, columns: _Columns, scores: Tensor, slopes: list[Tensor]) -> Tensor:
        """Notes the scores (R,) of rows, and the sum of their `slopes` (R,) over all inputs.

        Without a log of several tiles, those of the one tile are all there is.
        """
        backend = self.backend
        if log is None:
            slope = in_all(backend, slopes)
            return backend.concat([backend.cast(scores, backend.dtype(slope)), slope])
        scores, first, *others = (backend.cast(s, backend.dtype(log)) for s in (scores, *slopes))
        log = backend.fold(log, columns.place[0], scores)
        return backend.fold(log, columns.place[1], sum(others, start=first))

    def _slopes(self, gradients: list[Tensor], flow: list[Tensor]) -> list[Tensor]:
        """Gradient times velocity per row; the size of the gradient where there is no path."""
        backend = self.backend
        if flow:
            return [backend.row_sums(products) for products in flow]
        return [backend.row_sums(backend.absolute(g)) for g in gradients]

    def _carried(self, before: list[Carry], after: list[Carry], columns: _Columns) -> list[Carry]:
        """Writes what rows take along to their samples, of which a tile has one row each."""
        if not any(before):
            return before
        backend, (writer,) = self.backend, columns.writers

        def written(old: Tensor, new: Tensor) -> Tensor:
            # Gathered, not added: what is kept and what is written stay to the bit.
            rows = backend.cast(new, backend.dtype(old))
            return backend.batch(backend.concat([old, rows]), writer)

        return [
            tuple(written(old, new) for old, new in zip(olds, news, strict=True))
            for olds, news in zip(before, after, strict=True)
        ]
