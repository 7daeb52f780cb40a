"""Guided Integrated Gradients."""

from __future__ import annotations

from typing import Any

from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.question.checks import check_fraction, check_tolerance, count_of
from polyattr.sampling import GuidedPath, Recipe


class GuidedIntegratedGradients(Explainer):
    r"""Gradient integrated along a path that moves features of small gradients first.

    .. math::
        \int_0^1 \frac{\partial f}{\partial x_i}(\gamma(\alpha))
        \frac{d \gamma_i}{d \alpha} \, d\alpha, \quad
        \|x - \gamma(\alpha)\|_1 = (1 - \alpha) \|x - b\|_1

    Kapishnikov, Venugopalan, Avci, Wedin, Terry & Bolukbasi, Guided Integrated Gradients: An
    Adaptive Path Method for Removing Noise (2021), arXiv 2106.09788. Shape: that of the inputs,
    (N, ...). Units: those of the score. The path comes nearer to the input by the same L1 distance
    in each step. In a step, the fraction of features whose gradient is smallest moves first, as far
    as `max_dist` lets it, then the next; so it keeps away from where gradients are large and noisy.
    The attributions of a sample sum to f(x) - f(b), up to `Attribution.completeness_gap`, by the
    trapezoid rule between the points. Equal gradients move together. Each point depends on the
    gradient at the last one, so samples run side by side, but the points of one sample in turn. A
    gradient that is not finite ends no path early; it is reported by sample and point.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        steps: Points on the path, both ends included: gradient evaluations per sample.
        fraction: Which part of the features, over all inputs, moves together. With 1 all do, and
            the path is straight.
        max_dist: How far a feature may be ahead of or behind the straight path, as a fraction of
            its way from baseline to input. With 0 the path is straight: `IntegratedGradients` with
            the trapezoid rule and as many steps.
        baseline_value: Where the path starts, as for `IntegratedGradients`, one per sample.
        tolerance: Relative error above which a `ConvergenceWarning` is given; None gives none and
            lets `Attribution.converged` hold up to 0.05.

    Raises:
        InputError: `steps` is below 2, `fraction` or `max_dist` no number from 0 to 1, `tolerance`
            negative, or there are several baselines per sample; all other errors are those of
            `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.GuidedIntegratedGradients(lambda x: x[:, 0] * x[:, 1], steps=100)
        >>> method.explain(torch.tensor([[2.0, 1.0]])).sum().round(decimals=2)
        tensor(2.)
    """

    steps: int = setting(default=50, check=count_of(2))
    fraction: float = setting(default=0.25, check=check_fraction)
    max_dist: float = setting(default=0.02, check=check_fraction)
    baseline_value: Any = 0.0
    tolerance: float | None = setting(default=None, check=check_tolerance)

    gist = "gradient along a calm path"
    paper = Paper(
        "kapishnikov2021guided",
        "Kapishnikov, Andrei and Venugopalan, Subhashini and Avci, Besim and Wedin, Ben and "
        "Terry, Michael and Bolukbasi, Tolga",
        "Guided Integrated Gradients: An Adaptive Path Method for Removing Noise",
        2021,
        "2106.09788",
    )
    guide = Guide(
        equation="integral of df/dx_i along a path that moves features of small gradients first",
        cost="`steps` gradients per sample, one after the other",
        when="pictures whose map of Integrated Gradients is speckled",
        when_not="comparing features across samples: each sample has a path of its own, "
        "which follows the model",
    )

    def recipe(self) -> Recipe:
        """The integral along the guided path."""
        return GuidedPath(
            steps=self.steps, fraction=float(self.fraction), max_dist=float(self.max_dist)
        )
