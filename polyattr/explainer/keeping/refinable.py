"""Methods whose results can be refined."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Unpack

from polyattr.explainer.base import MethodBase
from polyattr.explainer.keeping.refine import Refinement
from polyattr.explainer.options import CallOptions, Options, read_options
from polyattr.results.attribution import Attribution


class RefinableMethod(MethodBase):
    """A method that takes up its results again."""

    def refine(
        self,
        result: Attribution,
        inputs: Any = None,
        targets: Any = None,
        *,
        tolerance: float | None = None,
        **options: Unpack[CallOptions],
    ) -> Attribution:
        """Explains again the samples of a result that have not converged, with more points.

        Twice the points of a path or the draws, up to 64 times as many; where they are "auto" first
        the `tolerance`, then twice the most they may be. Each sample has in the end what a new call
        with the settings it was refined to gives it: `methods` lists them, `settings` says whose
        are which. A `ConvergenceWarning` tells of samples that are not within it even then.

        Args:
            result: What `attribute` returned, some of its samples, or what `load` read.
            inputs: What was explained, in the result's order; None takes what the result keeps.
            targets: As given; None takes those the result knows, which is no callable.
            tolerance: Relative error to come within; None for the method's own, or 0.05.
            **options: As they were given to `attribute`, for all samples; of `forward_args` with
                as many rows as there are samples, `batched` has to say whether they are theirs.

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
        return refinement.run(inputs, targets, self._read(options))

    def _read(self, options: CallOptions) -> Options:
        made_with = [entry.name for entry in fields(self)]
        name, uses, own = type(self).__name__, self.uses_baselines, self.has_own_draws
        return read_options(name, uses, options, made_with, own)
