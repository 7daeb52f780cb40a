"""How many rows a gradient call has: what the user gave, what fits, and what ran out of memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from polyattr.backend import GradBackend
from polyattr.engine.blocks import Asked, Engine, Recipes
from polyattr.engine.plan.sheet import auto_batch_size
from polyattr.engine.question import Answer, Question
from polyattr.explainer.binding.method import Method
from polyattr.question.inputs import Inputs
from polyattr.scores.scorer import Scorer

_MOST_FOLD = 16
"""How many times the rows of one target a gradient call has at most for several, under "auto"."""


@dataclass
class RowsPerCall:
    """Chooses the rows of each gradient call.

    Attributes:
        method: The explainer's arguments.
        backend: The framework.
        scorer: Knows how many rows the model takes, where that is fixed.
        most: What memory has been found to hold; None where it held all.
    """

    method: Method
    backend: GradBackend
    scorer: Scorer
    most: int | None

    def of(self, inputs: Inputs) -> int | None:
        """Returns the most rows per gradient call for these inputs; None for any number."""
        given: Any = self.method.batch_size
        if given == "auto":
            first = [*inputs.leaves, *inputs.companions][0]
            given = auto_batch_size(self._elements(inputs), self.backend, first)
            # Points are evaluated once for all targets, whose gradients are a small part of memory.
            given = max(given * min(inputs.fan, _MOST_FOLD), inputs.fan)
        taken = self.scorer.fitting.rows
        taken = taken and taken * inputs.fan  # it takes each sample once, whatever it is asked
        limits = [int(rows) for rows in (given, self.most, taken) if rows is not None]
        return min(limits, default=None)

    def answered(
        self, engine: Engine, recipes: Recipes, question: Question, asked: Asked
    ) -> tuple[Answer, int | None]:
        """Runs the engine, with half the rows per call each time memory runs out."""
        while True:
            try:
                return engine.run(recipes, question, asked), asked.batch_size
            except Exception as error:
                rows = asked.batch_size or question.inputs.n * len(recipes[0].table(1))
                if rows == 1 or not self.backend.is_out_of_memory(error):
                    raise
            # Outside the handler, whose traceback would keep the tile's tensors alive.
            self.most = rows // 2
            asked = replace(asked, batch_size=self.most)

    def _elements(self, inputs: Inputs) -> int:
        """Numbers in a row: of the inputs, or of what it adds to the sums where that is more."""
        shapes = [self.method.recipes[0].shape(tuple(leaf.shape[1:])) for leaf in inputs.leaves]
        return max(inputs.elements, sum(math.prod(shape) for shape in shapes))
