"""Values of the model alone, without gradients, in tiles of equal shape."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.kernels import Kernels
from polyattr.engine.plan.pieces import row_tiles
from polyattr.engine.plan.sheet import call_rows
from polyattr.question.inputs import Inputs
from polyattr.question.layout import Context, Layout
from polyattr.question.structure import flatten
from polyattr.scores.reductions import Rule
from polyattr.scores.scorer import Scorer

Kernel = Callable[..., Any]


@dataclass(frozen=True)
class Forward:
    """Evaluates outputs and scores.

    Attributes:
        scorer: Model and operator.
        kernels: Where compiled kernels are kept.
    """

    scorer: Scorer
    kernels: Kernels

    # The kernels hold the scorer, not `self`, whose kernels would then hold themselves.

    @property
    def backend(self) -> GradBackend:
        """The framework in use."""
        return self.scorer.backend

    def anew(self) -> Forward:
        """Returns the same with no kernel kept, so that the model is traced once more."""
        return replace(self, kernels=Kernels(self.backend, self.scorer.guard))

    def outputs(self, inputs: Inputs, batch_size: int | None) -> np.ndarray[Any, Any]:
        """Evaluates the model's outputs (N, ...) on the inputs, and copies them to the host."""
        kernel = self._outputs(inputs.layout)
        return self._host(inputs.leaves, inputs.context([]), kernel, inputs.n, batch_size)

    def _outputs(self, layout: Layout) -> Kernel:
        scorer = self.scorer
        return self.kernels.get(
            ("outputs", layout),
            lambda state, rows, context: scorer.backend.value(
                lambda leaves: scorer.outputs(layout, state, leaves, context), rows
            ),
        )

    def scores(
        self,
        leaves: list[Tensor],
        inputs: Inputs,
        rule: Rule,
        goals: list[Tensor],
        batch_size: int | None,
    ) -> np.ndarray[Any, Any]:
        """Evaluates the scores (N,).

        Args:
            leaves: Rows (N, ...) that take the place of those of `inputs`.
            inputs: How the model is called, and what it takes beside them.
            rule: How outputs are scored.
            goals: The targets (N, ...) it takes.
            batch_size: Most rows per evaluation.
        """
        if inputs.fan > 1 and self.scorer.shares(rule):
            return self._fanned(leaves, inputs, rule, goals, batch_size)
        kernel = self._scores(inputs.layout, rule)
        return self._host(leaves, inputs.context(goals), kernel, inputs.n, batch_size)

    def _fanned(
        self,
        leaves: list[Tensor],
        inputs: Inputs,
        rule: Rule,
        goals: list[Tensor],
        batch_size: int | None,
    ) -> np.ndarray[Any, Any]:
        """Evaluates the outputs of samples that differ in their targets alone once for all."""
        backend, fan = self.backend, inputs.fan
        first = row_taker(backend, np.arange(0, inputs.n, fan))
        n, context = inputs.n // fan, inputs.context([]).rows(first)
        kernel = self._outputs(inputs.layout)
        outputs = backend.concat(self._run(first(leaves), context, kernel, n, batch_size))[:n]
        of_each = ([goal[t::fan] for goal in goals] for t in range(fan))
        scores = [backend.to_numpy(rule(backend, outputs, columns)) for columns in of_each]
        return np.stack(scores, axis=1).ravel()

    def _scores(self, layout: Layout, rule: Rule) -> Kernel:
        scorer = self.scorer
        if scorer.shares(rule):
            # A rule of the package's own makes scores of the outputs, which one kernel evaluates
            # for all rules.
            outputs = self._outputs(layout)
            return lambda state, rows, context: rule(
                scorer.backend, outputs(state, rows, context._replace(goals=[])), context.goals
            )
        return self.kernels.get(
            ("scores", layout, rule),
            lambda state, rows, context: scorer.backend.value(
                lambda leaves: scorer.score(layout, rule, state, leaves, context), rows
            ),
        )

    def activations(
        self, inputs: Inputs, attributed: tuple[bool, ...], batch_size: int | None
    ) -> list[Tensor]:
        """Evaluates the attributed tensors (N, ...) of the layers that are attributed to."""
        layout, scorer = inputs.layout, self.scorer

        def wanted(state: Any, rows: list[Tensor], context: Context) -> list[Tensor]:
            found = scorer.backend.value(
                lambda leaves: scorer.activations(layout, state, leaves, context), rows
            )
            parts = flatten(found, "activations")[1]
            return [part for part, has in zip(parts, attributed, strict=True) if has]

        key = ("activations", layout, attributed)
        kernel = self.kernels.get(key, wanted)
        tiles = self._run(inputs.leaves, inputs.context([]), kernel, inputs.n, batch_size)
        joined = [scorer.backend.concat(parts) for parts in zip(*tiles, strict=True)]
        return [leaf[: inputs.n] for leaf in joined]

    def _host(
        self,
        leaves: list[Tensor],
        context: Context,
        kernel: Kernel,
        n: int,
        batch_size: int | None,
    ) -> np.ndarray[Any, Any]:
        parts = self._run(leaves, context, kernel, n, batch_size)
        return np.concatenate([self.backend.to_numpy(part) for part in parts])[:n]

    def _run(
        self,
        leaves: list[Tensor],
        context: Context,
        kernel: Kernel,
        n: int,
        batch_size: int | None,
    ) -> list[Any]:
        """Runs a kernel on tiles of few shapes; the last one repeats its last row."""
        backend, few = self.backend, self.kernels.few
        parameters = self.scorer.bound.state()
        parts: list[Any] = []
        given = [*leaves, *context.companions]
        numbers = sum(math.prod(leaf.shape[1:]) for leaf in given)
        call = call_rows(numbers, backend, given[0]) if few and batch_size else 0
        for first, rows in row_tiles(n, batch_size, few=few, call=call):
            index = None if rows == n else clipped_range(first, rows, n)
            take = row_taker(backend, index)
            parts.append(kernel(parameters, take(leaves), context.rows(take)))
        return parts


def row_taker(
    backend: GradBackend, index: np.ndarray[Any, Any] | None
) -> Callable[[list[Tensor]], list[Tensor]]:
    """Returns what gathers the same rows of every leaf; all of them, uncopied, for None."""

    def take(leaves: list[Tensor]) -> list[Tensor]:
        if index is None or not leaves:
            return leaves
        native = backend.to_native(index.astype(np.int32), leaves[0])
        return [backend.batch(leaf, native) for leaf in leaves]

    return take


def clipped_range(start: int, size: int, n: int) -> np.ndarray[Any, Any]:
    """Returns ``start .. start + size`` with positions past the end repeating the last."""
    return np.minimum(np.arange(start, start + size), n - 1)
