"""How right the numbers are: scores, completeness, errors; and joining batches into one result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.engine.loop import Answer, Engine, Question
from polyattr.errors import ConvergenceWarning, warn
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]

DEFAULT_TOLERANCE = 0.05
"""Relative error up to which `Attribution.converged` holds when no tolerance was asked for."""

_FLOOR = 1e-3
"""Smallest score difference errors are relative to, as a fraction of the scores themselves: where
f(x) and f(b) all but coincide, a relative gap says nothing."""


@dataclass(frozen=True)
class Facts:
    """Everything `attribute` reports about one engine run.

    Attributes:
        engine: What ran.
        question: What was asked.
        answer: What was found.
        batch_size: Most rows per model evaluation.
    """

    engine: Engine
    question: Question
    answer: Answer
    batch_size: int | None

    def attribution(
        self, values: Any, method: str, complete: bool, tolerance: float | None
    ) -> Attribution:
        """Assembles the result; warns if a tolerance was asked for and missed."""
        scores = self.scores()
        origin = self.baseline_scores()
        gap = None if origin is None else self.gap(scores, origin)
        error = self.sampling_error() if gap is None else relative_gap(gap, scores, origin)
        converged = error <= (DEFAULT_TOLERANCE if tolerance is None else tolerance)
        if tolerance is not None and not converged.all():
            _warn_unconverged(error, converged, tolerance)
        n, noisy = self.question.inputs.n, self.engine.points.uses_noise
        return Attribution(
            values=values,
            scores=scores,
            baseline_scores=origin,
            completeness_gap=gap if complete else None,
            error=error,
            converged=converged,
            evaluations=np.full(n, self.engine.points.count),
            targets=self.question.targets.record,
            method=method,
            seed=self.question.seed if noisy else None,
            backend=self.engine.backend.name,
            _native=self.engine.backend,
        )

    def scores(self) -> Array:
        """Returns f(x) (N,), from evaluations already made where there are any."""
        at = self.engine.points.at_input
        if at is not None:
            return self.answer.scores[:, at].astype(np.float64)
        if self.question.scores is not None:
            return self.question.scores.astype(np.float64)
        return self._evaluate(self.question.inputs.leaves)

    def baseline_scores(self) -> Array | None:
        """Returns f(b) (N,), or None for methods without a baseline.

        Always evaluated: the path's first point lies a rounding inside of it.
        """
        if not self.question.baselines:
            return None
        backend = self.engine.backend
        pairs = zip(self.question.baselines, self.question.inputs.leaves, strict=True)
        spread = [b + backend.zeros(tuple(x.shape), x, backend.dtype(x)) for b, x in pairs]
        return self._evaluate(spread)

    def _evaluate(self, leaves: list[Tensor]) -> Array:
        question = self.question
        found = self.engine.forward.scores(
            leaves, question.inputs, question.targets, self.batch_size
        )
        return found.astype(np.float64)

    def gap(self, scores: Array, origin: Array) -> Array:
        """Returns ``sum((x - b) * mean gradient) - (f(x) - f(b))`` (N,)."""
        backend, asked = self.engine.backend, self.question
        sums = np.zeros(asked.inputs.n)
        for x, b, e in zip(
            asked.inputs.leaves, asked.baselines, self.answer.estimates, strict=True
        ):
            wide = backend.accumulator_dtype(x)
            sums += self._sums((backend.cast(x, wide) - backend.cast(b, wide)) * e.value)
        gap: Array = sums - (scores - origin)
        return gap

    def sampling_error(self) -> Array:
        """Returns the standard error of the map relative to its norm (N,).

        Zero for exact gradients; NaN where one draw, or one group, allows no estimate.
        """
        n, points = self.question.inputs.n, self.engine.points
        if not points.uses_noise:
            return np.zeros(n)
        squared = [e.squared_error for e in self.answer.estimates]
        if points.groups == 1:
            return np.full(n, np.nan)
        error = np.sqrt(sum(self._sums(s) for s in squared))
        norm = np.sqrt(sum(self._sums(e.value**2) for e in self.answer.estimates))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(error == 0, 0.0, error / norm)

    def _sums(self, leaf: Tensor) -> Array:
        backend = self.engine.backend
        return backend.to_numpy(backend.row_sums(leaf)).astype(np.float64)


def relative_gap(gap: Array, scores: Array, origin: Array | None) -> Array:
    """Returns |gap| relative to |f(x) - f(b)|, or to a floor where that is smaller."""
    start = np.zeros_like(scores) if origin is None else origin
    floor = _FLOOR * np.maximum(np.abs(scores), np.abs(start))
    scale = np.maximum(np.abs(scores - start), floor)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 0.0, np.abs(gap) / scale)


def _warn_unconverged(error: Array, converged: Array, tolerance: float) -> None:
    worst = int(np.argmax(np.nan_to_num(error, nan=np.inf)))
    warn(
        f"{int((~converged).sum())} of {len(error)} samples have a relative error above "
        f"tolerance={tolerance:g} (worst: {error[worst]:.3g}, sample {worst}); raise steps",
        ConvergenceWarning,
    )
