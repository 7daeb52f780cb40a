"""How right the numbers are: scores, completeness, errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.engine.blocks import Recipes
from polyattr.engine.convergence import (
    DEFAULT_TOLERANCE,
    FLOOR,
    TOLD,
    jumped_error,
    told_error,
)
from polyattr.engine.forward import Forward
from polyattr.engine.question import Answer, Question
from polyattr.engine.spread import norms, relative_error
from polyattr.question.references import References
from polyattr.results.attribution import Attribution
from polyattr.sampling.recipe import Recipe

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Facts:
    """Everything `attribute` reports about one run of the engine.

    Attributes:
        forward: Evaluates scores that no row has told.
        recipes: The recipe, then those inside it.
        question: What was asked.
        answer: What was found.
        batch_size: Most rows per model evaluation.
        looked: What the explainer knows of the baseline already; None where nothing can be known.
    """

    forward: Forward
    recipes: Recipes
    question: Question
    answer: Answer
    batch_size: int | None
    looked: set[str] | None = None

    @property
    def recipe(self) -> Recipe:
        """The outermost recipe."""
        return self.recipes[0]

    def attribution(
        self, values: Any, errors: Any, method: str, tolerance: float | None
    ) -> Attribution:
        """Assembles the result.

        Args:
            values: Attributions in the containers of the inputs.
            errors: Their standard errors likewise, or None.
            method: The explainer's repr.
            tolerance: Relative error that was asked for.
        """
        scores = self.scores()
        slope = self.answer.slope
        origin = None if slope is None else self.baseline_scores()
        gap = None if slope is None or origin is None else slope - (scores - origin)
        if self.looked is not None and origin is not None and self.answer.course is not None:
            self._look(self.looked, scores, origin)  # what `explain` would have to evaluate
        error = self.error(gap, scores, origin)
        converged = error <= (DEFAULT_TOLERANCE if tolerance is None else tolerance)
        backend = self.forward.backend
        return Attribution(
            values=values,
            scores=scores,
            baseline_scores=origin,
            completeness_gap=gap if self.recipe.complete else None,
            error=error,
            converged=converged,
            evaluations=self.answer.evaluations,
            targets=self.question.targets.record,
            method=method,
            seed=self.recipe.drawn_from,
            backend=backend.name,
            standard_error=errors,
            _native=backend,
        )

    def scores(self) -> Array:
        """Returns f(x) (N,), from evaluations already made where there are any."""
        for known in (self.answer.scores, self.question.scores):
            if known is not None:
                return known.astype(np.float64)
        question = self.question
        inputs, targets = question.inputs, question.targets
        found = self.forward.scores(
            inputs.leaves, inputs, targets.rule, targets.columns, self.batch_size
        )
        return found.astype(np.float64)

    def baseline_scores(self) -> Array:
        """Returns the mean of f over the baselines of each sample (N,).

        Always evaluated: the path's first point lies inside of it.
        """
        question, references = self.question, self.question.references
        inputs, n = question.inputs, question.inputs.n
        if references is None:
            return np.zeros(n)
        if references.count == 1:
            backend, targets = self.forward.backend, question.targets
            pairs = zip(references.leaves, inputs.leaves, strict=True)
            spread = [b + backend.zeros(tuple(x.shape), x, backend.dtype(x)) for b, x in pairs]
            found = self.forward.scores(
                spread, inputs, targets.rule, targets.columns, self.batch_size
            )
            return found.astype(np.float64)
        sample = np.repeat(np.arange(n), references.count)
        number = np.tile(np.arange(references.count), n)
        first, back = self._distinct(sample, number)
        # Tiles as for all pairs, however few differ: another shape would be compiled again.
        size = min(len(sample), self.batch_size or len(sample))
        scores = self._evaluate(references, sample[first], number[first], size)[back]
        mean: Array = scores.reshape(n, references.count).mean(axis=1)
        return mean

    def _distinct(self, sample: Array, number: Array) -> tuple[Array, Array]:
        """Finds the pairs of sample and baseline that differ, and where each one's score is.

        Where samples share their baselines, f(b) differs only with the target.
        """
        question, references = self.question, self.question.references
        shared = references is not None and references.shared
        record = question.targets.record
        if not shared or question.inputs.companions or not isinstance(record, np.ndarray | None):
            every = np.arange(len(sample))
            return every, every
        kind = np.zeros(question.inputs.n, dtype=np.int64)
        if record is not None:
            flat = np.ascontiguousarray(record).reshape(question.inputs.n, -1)
            kind = np.unique(flat, axis=0, return_inverse=True)[1].ravel()
        elif question.targets.columns:
            kind = np.arange(question.inputs.n)
        names = np.stack([kind[sample], number], axis=1)
        _, first, back = np.unique(names, axis=0, return_index=True, return_inverse=True)
        return first, back.ravel()

    def _evaluate(self, references: References, sample: Array, number: Array, size: int) -> Array:
        """Scores (R,) of the samples' baselines with these numbers, `size` at a time."""
        backend, question = self.forward.backend, self.question
        beside = question.at([])  # the samples themselves are not needed
        found = []
        for first in range(0, len(sample), size):
            here = np.minimum(np.arange(first, first + size), len(sample) - 1)
            rows = references.rows(sample[here], number[here]).astype(np.int32)
            index = backend.to_native(rows, references.leaves[0])
            leaves = [backend.batch(leaf, index) for leaf in references.leaves]
            part = beside.take(backend, sample[here])
            rule, goals = part.targets.rule, part.targets.columns
            found.append(self.forward.scores(leaves, part.inputs, rule, goals, None))
        return np.concatenate(found)[: len(sample)].astype(np.float64)

    def known_error(self) -> Array | None:
        """Returns the relative error of the map (N,), where it is known for little.

        The first call of an explainer evaluates both ends of one path; where that one jumps at
        the baseline, this and every later call those of all.
        """
        if self.recipe.sampled or len(self.recipes) > 1:
            return None
        leaf, spread = self.question.inputs.leaves[0], self.answer.standard_error
        error = told_error(self.answer, self.forward.backend.dtype(leaf))
        if error is not None and self.looked is not None:
            error = np.fmax(error, self._jumps(self.looked))
        if spread is None or error is None:
            return error if spread is None else self._standard_error(spread)
        return np.fmax(error, self._standard_error(spread))

    def _jumps(self, looked: set[str]) -> Array:
        """Returns the error (N,) with the scores at both ends; NaN where these were not needed."""
        references = self.question.references
        if references is not None and references.count == 1:
            if "ends" not in looked:
                self._look(looked, *self._ends(references))
            if "jumps" in looked:
                return self._jumped(self.scores(), self.baseline_scores())
        return np.full(self.question.inputs.n, np.nan)

    def _look(self, looked: set[str], scores: Array, origin: Array) -> None:
        """Notes whether paths jump, by f(x) and f(b) (N,), NaN where they are not known."""
        looked.add("ends")
        if (self._jumped(scores, origin) > TOLD).any():
            looked.add("jumps")

    def _jumped(self, scores: Array, origin: Array) -> Array:
        dtype = self.forward.backend.dtype(self.question.inputs.leaves[0])
        return jumped_error(self.answer, dtype, scores, origin)

    def _ends(self, references: References) -> tuple[Array, Array]:
        """Scores f(x) and f(b) (N,) of one sample, by the kernel that tried the model.

        Two rows, as there, so that nothing is compiled for them; of the sample with the largest
        score on its path: one that is zero all along jumps nowhere, whatever the others do.
        """
        backend, course, n = self.forward.backend, self.answer.course, self.question.inputs.n
        sample = 0 if course is None else int(np.nan_to_num(course.level[:n]).argmax())
        twice = self.question.take(backend, np.full(2, sample, dtype=np.int32))
        inputs, targets = twice.inputs, twice.targets
        starts = references.take(backend, np.full(2, sample, dtype=np.int32)).leaves
        leaves = [
            backend.concat([start[:1] + x[:1] * 0, x[:1]])
            for start, x in zip(starts, inputs.leaves, strict=True)
        ]
        ends = np.full((2, n), np.nan)
        rule, goals = targets.rule, targets.columns
        ends[:, sample] = self.forward.scores(leaves, inputs, rule, goals, None)
        return ends[1], ends[0]

    def error(self, gap: Array | None, scores: Array, origin: Array | None) -> Array:
        """Returns the relative error of the map (N,).

        That of an estimate from samples or of nested rules relative to the map's norm, NaN where
        one draw, or one group, allows none, or an inner method has an error of its own; else the
        gap relative to the difference of scores; 0 for exact gradients.
        """
        errors, n = self.answer.standard_error, self.question.inputs.n
        if any(recipe.sampled or not recipe.one_round for recipe in self.recipes[1:]):
            # An inner method draws the same for all copies: their spread does not know its error.
            return np.full(n, np.nan)
        if errors is not None:
            return self._standard_error(errors)
        if self.recipe.sampled:
            return np.full(n, np.nan)
        return np.zeros(n) if gap is None else relative_gap(gap, scores, origin)

    def _standard_error(self, errors: list[Tensor]) -> Array:
        backend = self.forward.backend
        if self.recipe.sampled:
            return relative_error(backend, errors, self.answer.values)
        error, size = norms(backend, errors), norms(backend, self.answer.values)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error == 0, 0.0, error / size)


def relative_gap(gap: Array, scores: Array, origin: Array | None) -> Array:
    """Returns |gap| relative to |f(x) - f(b)|, or to a floor where that is smaller."""
    start = np.zeros_like(scores) if origin is None else origin
    floor = FLOOR * np.maximum(np.abs(scores), np.abs(start))
    scale = np.maximum(np.abs(scores - start), floor)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 0.0, np.abs(gap) / scale)
