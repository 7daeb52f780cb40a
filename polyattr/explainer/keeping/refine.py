"""Explaining again, with more points or draws, the samples that have not converged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.dtypes import FLOATS
from polyattr.engine.convergence import DEFAULT_TOLERANCE, Convergence, relative_gap
from polyattr.errors import InputError, InputTypeError, brief
from polyattr.explainer.call import Calls
from polyattr.explainer.keeping.attempts import attempts, effort_of, same_but_for_effort
from polyattr.explainer.keeping.subset import Subset
from polyattr.explainer.options import Options
from polyattr.question.checks import check_positive
from polyattr.question.datasets import is_dataset
from polyattr.question.structure import flatten
from polyattr.question.tables.edge import read_column, read_tables
from polyattr.results.attribution import Attribution
from polyattr.results.parts.merging import merged
from polyattr.scores.each import each

Array = np.ndarray[Any, Any]


class Refinement:
    """One call of `Explainer.refine`; see there.

    Args:
        method: The explainer.
        result: What it found.
        tolerance: The relative error to come within; None for the method's own.

    Raises:
        InputTypeError: `result` is no `Attribution`, or `tolerance` no number.
        InputError: It is of another method, or `tolerance` is not above 0.
    """

    def __init__(self, method: Any, result: Attribution, tolerance: float | None) -> None:
        if not isinstance(result, Attribution):
            raise InputTypeError(
                f"result is {brief(result)}; expected what method.attribute(...) returned"
            )
        effort_of(method)
        if not same_but_for_effort(result.method, method):
            raise InputError(
                f"result was made by {result.method}; expected one of {method!r}, whatever its "
                f"number of steps or draws"
            )
        if tolerance is None:
            tolerance = getattr(method, "tolerance", None)
        self.tolerance = DEFAULT_TOLERANCE
        if tolerance is not None:
            self.tolerance = float(check_positive("tolerance", tolerance))  # type: ignore[arg-type]  # a number
        self.method, self.result = method, result
        self.recipe = method.recipes()[0]

    def run(self, inputs: Any, targets: Any, options: Options) -> Attribution:
        """Returns the result with better answers for the samples that have not converged.

        Raises:
            InputError: The question is not that of the result.
        """
        result, left = self.result, self._due(self.result)
        if left.size:
            inputs = self._inputs(inputs)
            targets = self._targets() if targets is None else read_column(targets)
            backend = self.method._calls.backend_of(inputs)
            if backend.name != result.backend:
                raise InputError(
                    f"result was made on {result.backend}, and the method's model is one of "
                    f"{backend.name}; expected the same framework"
                )
        for method in attempts(self.method, self.tolerance):
            if not left.size:
                break
            part = Subset(left, len(result), backend)
            own = part.options(options, inputs, self.method.has_own_draws)
            asked = part.rows(inputs), part.targets(targets)
            found = self._attempt(method._calls, *asked, own)
            self._check_same(result._at(left), found)
            result = merged(result, found, left, backend)
            judged = self._judged(found)
            # What is not known now is not known with more points, either.
            left = left[(judged > self.tolerance).any(axis=tuple(range(judged.ndim - 1)))]
        return self._told(result)

    def _attempt(self, calls: Calls, inputs: Any, targets: Any, options: Options) -> Attribution:
        calls.method.told.update(self.method._calls.method.told)
        stream = calls.stream(inputs, targets, replace(options, quiet=True), full=True)
        return next(found for *_, found in list(stream) if found is not None)

    def _judged(self, result: Attribution) -> Array:
        """What has to be within the tolerance: (N,), or (T, N)."""
        gap, origin = result.completeness_gap, result.baseline_scores
        if not self.recipe.on_gap or gap is None or origin is None:
            return result.error
        relative = relative_gap(gap, result.scores, origin)
        return np.where(np.isnan(result.error), np.nan, relative)

    def _due(self, result: Attribution) -> Array:
        """The samples that are above the tolerance at one target at least."""
        within = self._judged(result) <= self.tolerance
        return np.flatnonzero(~np.atleast_2d(within).all(axis=0))

    def _told(self, result: Attribution) -> Attribution:
        judged = self._judged(result)
        marked = self.method._calls.method.mark & np.isnan(judged)
        course = Convergence(self.tolerance, self.recipe.more, self.recipe.origin is not None)
        error = np.atleast_2d(np.where(marked, 0.0, judged))
        course.add(np.where(np.isnan(error).any(axis=0), np.nan, np.fmax.reduce(error, axis=0)))
        course.tell()
        return replace(result, converged=judged <= self.tolerance)

    def _inputs(self, inputs: Any) -> Any:
        result, n = self.result, len(self.result)
        if inputs is None:
            inputs = result.inputs
        if inputs is None:
            raise InputError(
                "inputs are not given, and the result keeps none; expected what was explained, or "
                "a result of method.attribute(..., keep_inputs=True)"
            )
        if is_dataset(inputs):
            raise InputError(
                f"inputs is a dataset, a {type(inputs).__name__}; expected the {n} samples of the "
                f"result as one array, or a result that keeps them: keep_inputs=True"
            )
        plain = read_tables(inputs)[0]
        sizes = [leaf.shape[0] for leaf in flatten(plain, "")[1] if len(getattr(leaf, "shape", ()))]
        if n not in sizes:
            raise InputError(
                f"inputs have {' and '.join(map(str, sizes)) or 'no'} samples, the result has {n}; "
                f"expected the samples of the result in its order: result.inputs where they are "
                f"kept"
            )
        return plain

    def _targets(self) -> Any:
        targets = self.result.targets
        if isinstance(targets, str):
            raise InputError(
                f"targets were {targets}, a callable or several of one kind that a result knows by "
                f"name alone; expected them again: method.refine(result, inputs, targets)"
            )
        if self.result.scores.ndim == 1:
            return targets
        if targets is None:
            raise InputError("targets of this result are not known; expected them again")
        return each(list(targets))

    def _check_same(self, before: Attribution, after: Attribution) -> None:
        """Checks that the question was the same: then so are the scores.

        Raises:
            InputError: They are others.
        """
        loosest = max(FLOATS[kind].noticeable for kind in after._dtypes())
        pairs: list[tuple[str, Array | None, Array | None]] = [
            ("f(x)", before.scores, after.scores)
        ]
        if self.recipe.origin == "baseline":
            pairs.append(("f(b)", before.baseline_scores, after.baseline_scores))
        for what, old, new in pairs:
            if old is None or new is None:
                continue
            level = np.nanmax(np.abs(old), initial=0)
            same = np.isclose(old, new, rtol=loosest, atol=loosest * level, equal_nan=True)
            if not same.all():
                at = tuple(np.argwhere(~same)[0])
                raise InputError(
                    f"{what} of a sample is {new[at]:.6g} now and was {old[at]:.6g} in the result; "
                    f"expected the same model, inputs, targets, baselines and further arguments, "
                    f"and a model that draws no random numbers"
                )
