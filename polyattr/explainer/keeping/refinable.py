"""Methods whose results can be refined."""

from __future__ import annotations

from typing import Any

from polyattr.explainer.keeping.refine import Refinement
from polyattr.explainer.one_call import OneCall
from polyattr.explainer.shown.call_arguments import OF_A_RESULT
from polyattr.explainer.shown.described import described_by
from polyattr.explainer.shown.own_words import own_words
from polyattr.results.attribution import Attribution


class RefinableMethod(OneCall):
    """A method that takes up its results again."""

    @own_words
    @described_by(OF_A_RESULT)
    def refine(
        self,
        result: Attribution,
        inputs: Any = None,
        targets: Any = None,
        *,
        tolerance: float | None = None,
        baselines: Any = None,
        forward_args: tuple[Any, ...] | list[Any] = (),
        forward_kwargs: dict[str, Any] | None = None,
        batched: Any = None,
        progress: bool = False,
        sample_ids: Any = None,
    ) -> Attribution:
        """Explains again the samples of a result that have not converged, with more points.

        Twice the points of a path or the draws, up to 64 times as many; where they are "auto" first
        the `tolerance`, then twice the most they may be. Each sample has in the end what a new call
        with the settings it was refined to gives it: `methods` lists them, `settings` says whose
        are which. A `ConvergenceWarning` tells of samples that are not within it even then.

        Returns:
            The result, of which the samples that had converged are as they were.

        Raises:
            InputError: There is nothing to refine, or the result is that of another question.
            InputTypeError: `result` is none, or `tolerance` is no number.

        Example:
            >>> import polyattr, torch
            >>> method = polyattr.IntegratedGradients(lambda x: (x**8).sum(1), tolerance=0.01)
            >>> result = method.attribute(torch.tensor([[0.0], [1.0]]), keep_inputs=True)
            >>> method.refine(result, tolerance=1e-3).evaluations
            array([50, 99])
        """
        refinement = Refinement(self, result, tolerance)
        given = self._read(baselines, forward_args, forward_kwargs, batched, progress, sample_ids)
        return refinement.run(inputs, targets, given)
