"""How right the numbers are: scores, completeness, errors."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from polyattr.engine.blocks import Recipes
from polyattr.engine.convergence import DEFAULT_TOLERANCE, least_error, relative_gap
from polyattr.engine.forward import Forward
from polyattr.engine.question import Answer, Question
from polyattr.engine.sums.report import Measured
from polyattr.engine.sums.spread import sizes
from polyattr.explainer.binding.method import Method
from polyattr.question.references import References
from polyattr.results.attribution import Attribution
from polyattr.sampling.errors.smoothness import MEAN_OF_NORMAL
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
        self, values: Any, errors: Any, method: Method, tolerance: float | None
    ) -> Attribution:
        """Assembles the result.

        Args:
            values: Attributions in the containers of the inputs.
            errors: Their standard errors likewise, or None.
            method: What gave them.
            tolerance: Relative error that was asked for.
        """
        scores = self.scores()
        slope = self.answer.slope
        origin = None if slope is None else self.baseline_scores()
        gap = None if slope is None or origin is None else slope - (scores - origin)
        known = self.answer.course is not None and self.recipe.complete
        if self.looked is not None and origin is not None and known:
            self._look(self.looked, scores, origin)  # what `explain` would have to evaluate
        error = self._error(gap, scores, origin)
        error[self.answer.bad] = np.nan
        limit = DEFAULT_TOLERANCE if tolerance is None else tolerance
        converged = self.judged(error, gap, scores, origin) <= limit
        backend = self.forward.backend
        return Attribution(
            values=values,
            scores=scores,
            baseline_scores=origin,
            completeness_gap=gap if self.recipe.complete else None,
            error=error,
            converged=converged,
            evaluations=self.answer.evaluations,
            targets=copy(self.question.targets.record),  # other results have it, too
            method=method.text,
            signed=method.signed,
            seed=self.recipe.drawn_from,
            backend=backend.name,
            standard_error=errors,
            bound=self._measured.bound,
            _native=backend,
        )

    def judged(self, error: Array, gap: Array | None, scores: Array, origin: Array | None) -> Array:
        """Returns what has to be within the tolerance (N,): the error, or the relative gap."""
        if gap is None or origin is None or not self.recipe.on_gap:
            return error
        return np.where(np.isnan(error), error, relative_gap(gap, scores, origin))

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

        The first call evaluates both ends of one path; where that one jumps, all those of all.
        """
        answer, n = self.answer, self.question.inputs.n
        if self.recipe.sampled or len(self.recipes) > 1:
            return None
        stated = None if answer.errors is None else self._stated()
        if answer.course is None or answer.slope is None or not self.recipe.complete:
            return stated
        least = self._least(answer.slope - answer.course.rise, answer.course.level)
        if self.looked is not None:
            least = np.fmax(least, self._jumps(self.looked))
        return least if stated is None else np.maximum(np.broadcast_to(stated, n), least)

    def not_marked(self, error: Array | None) -> Array | None:
        """Returns the `error` (N,) without that of marked samples, which are told of by name."""
        if error is None or not len(self.answer.bad):
            return error
        return np.where(np.isin(np.arange(len(error)), self.answer.bad), 0.0, error)

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
        if (self._jumped(scores, origin) > DEFAULT_TOLERANCE).any():
            looked.add("jumps")

    def _jumped(self, scores: Array, origin: Array) -> Array:
        """Returns the error (N,) that maps have at least by the scores at both ends.

        A network that normalises may jump at its baseline: the points of the path, the first of
        which lies inside, know nothing of it. A score there that is not finite is an error, too.
        """
        course, slope, m = self.answer.course, self.answer.slope, len(scores)
        if course is None or slope is None:
            return np.full(m, np.nan)
        level = np.maximum(course.level[:m], np.abs(origin))
        least = self._least(slope[:m] - (scores - origin), level)
        return np.where(np.isfinite(scores) & ~np.isfinite(origin), np.inf, least)

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
        first = backend.to_native(np.zeros(1, np.int32), inputs.leaves[0])
        leaves = [
            backend.concat([backend.batch(start, first), backend.batch(x, first)])
            for start, x in zip(starts, inputs.leaves, strict=True)
        ]
        ends = np.full((2, n), np.nan)
        rule, goals = targets.rule, targets.columns
        ends[:, sample] = self.forward.scores(leaves, inputs, rule, goals, None)
        return ends[1], ends[0]

    @cached_property
    def _measured(self) -> Measured:
        """The size of the maps, and of their errors relative to it."""
        told = self.answer.measured
        if told is not None:
            return Measured(told.size, *(_relative(p, told.size) for p in told[1:3]))
        backend, errors, n = self.forward.backend, self.answer.errors, self.question.inputs.n
        known = [sizes(backend, self.answer.values)]
        if errors is not None:
            known += [sizes(backend, errors.standard)]
            known += [] if errors.bound is None else [errors.bound]
        read = backend.to_numpy(backend.concat(known)).astype(np.float64).reshape(-1, n)
        return Measured(read[0], *(_relative(part, read[0]) for part in read[1:]))

    def _stated(self) -> Array:
        """Returns the error (N,) of the maps by what is known of each feature."""
        if any(recipe.sampled or not recipe.one_round for recipe in self.recipes[1:]):
            # An inner method draws the same for all copies: their spread does not know its error.
            return np.full(self.question.inputs.n, np.nan)
        standard = self._measured.standard
        if standard is not None:
            return standard * MEAN_OF_NORMAL
        return np.full(self.question.inputs.n, np.nan if self.recipe.sampled else 0.0)

    def _least(self, gap: Array, level: Array) -> Array:
        dtype = self.forward.backend.dtype(self.question.inputs.leaves[0])
        return least_error(gap, level, self._measured.size[: len(gap)], dtype)

    def _error(self, gap: Array | None, scores: Array, origin: Array | None) -> Array:
        """Returns the relative error of the map (N,).

        The mean summed error of its features in units of its summed magnitude, and no less than
        what it misses of f(x) - f(b). Where nothing is known of the features, the gap relative to
        the difference of scores; 0 for exact gradients; NaN where one draw allows no estimate, or
        an inner method has an error of its own.
        """
        stated = self._stated()
        if gap is None or origin is None or np.isnan(stated).all():
            return stated
        if self._measured.standard is None:
            return relative_gap(gap, scores, origin)
        if not self.recipe.complete:
            return stated
        least = self._least(gap, np.maximum(np.abs(scores), np.abs(origin)))
        return np.maximum(stated, least)


def _relative(part: Array | None, size: Array) -> Array | None:
    if part is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part == 0, 0.0, part / size)
