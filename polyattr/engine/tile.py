"""What is compiled: one tile's points, gradients and their fold into the running statistics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polyattr.backend import Tensor
from polyattr.question.layout import Context, Layout
from polyattr.sampling.points import Columns, Points
from polyattr.sampling.statistics import Accumulator
from polyattr.scores.scorer import Scorer
from polyattr.scores.targets import Targets

State = tuple[list[tuple[Tensor, ...]], Tensor, Tensor]
"""Accumulators per input, and logs of every row's score and summed absolute gradient."""


@dataclass(frozen=True)
class TileKernel:
    """A pure function of tensors, whose attributes are compiled into it.

    Attributes:
        scorer: Model and operator.
        points: Where gradients are taken.
        accumulator: The statistic of the contributions.
        contribution: What a row's gradient adds to the statistic.
        layout: How the model is called.
        targets: Their kind; the tensors come as arguments.
    """

    scorer: Scorer
    points: Points
    accumulator: Accumulator
    contribution: Callable[[Tensor], Tensor]
    layout: Layout
    targets: Targets

    def run(
        self,
        state: State,
        parameters: Any,
        x: list[Tensor],
        baselines: list[Tensor],
        context: Context,
        columns: Columns,
        noise: list[Tensor],
    ) -> State:
        """Adds one tile to the state.

        Args:
            state: What the tiles so far added up to.
            parameters: The model's parameters.
            x: Samples of the block, (M, ...) per input.
            baselines: Their baselines, (M, ...) or (1, ...) per input; empty without.
            context: Their targets, and what the model takes beside them.
            columns: Per-row quantities of this tile, (R,) each.
            noise: The tile's draws, (K, ...) per input; empty without.
        """
        backend, sample = self.scorer.backend, columns["sample"]
        rows = [self._place(i, leaf, baselines, noise, columns) for i, leaf in enumerate(x)]
        beside = context.rows(lambda leaves: [backend.batch(leaf, sample) for leaf in leaves])
        scores, gradients = backend.grad(
            lambda leaves: self.scorer.score(self.layout, self.targets, parameters, leaves, beside),
            rows,
        )
        # An input the score does not reach has no gradient; its attribution is zero.
        wide = [
            backend.cast(row * 0 if g is None else g, backend.accumulator_dtype(row))
            for g, row in zip(gradients, rows, strict=True)
        ]
        return self._fold(state, scores, wide, columns)

    def _place(
        self,
        i: int,
        leaf: Tensor,
        baselines: list[Tensor],
        noise: list[Tensor],
        columns: Columns,
    ) -> Tensor:
        backend, sample = self.scorer.backend, columns["sample"]
        start = baselines[i] if baselines else None
        if start is not None and start.shape[0] > 1:
            start = backend.batch(start, sample)
        draw = backend.batch(noise[i], columns["slot"]) if noise else None
        return self.points.place(backend, backend.batch(leaf, sample), start, draw, columns)

    def _fold(
        self, state: State, scores: Tensor, gradients: list[Tensor], columns: Columns
    ) -> State:
        backend = self.scorer.backend
        parts, score_log, size_log = state
        dtype, row = backend.dtype(size_log), columns["row"]
        sizes = [backend.cast(backend.row_sums(abs(g)), dtype) for g in gradients]
        parts = [
            self.accumulator.update(backend, part, self.contribution(g), columns)
            for part, g in zip(parts, gradients, strict=True)
        ]
        return (
            parts,
            backend.fold(score_log, row, backend.cast(scores, dtype)),
            backend.fold(size_log, row, sum(sizes[1:], start=sizes[0])),
        )
