"""Integrated Decision Gradients."""

from __future__ import annotations

from typing import Any

from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.question.checks import check_tolerance, count_of
from polyattr.sampling import DecisionPath, FixedNodes, Recipe


class IntegratedDecisionGradients(Explainer):
    r"""Gradient integrated along the straight path, weighted by how fast the score changes there.

    .. math:: (x_i - b_i) \int_0^1 \frac{\partial f}{\partial x_i}(\gamma(\alpha))
        \frac{d f(\gamma(\alpha))}{d \alpha} \, d\alpha, \quad
        \gamma(\alpha) = b + \alpha (x - b)

    Walker, Jha, Chen & Ewetz, Integrated Decision Gradients: Compute Your Attributions Where the
    Model Makes Its Decision (2023), arXiv 2305.20052. Shape: that of the inputs, (N, ...).
    Units: those of the score, squared. Where the score has saturated, gradients count for nothing.
    The attributions of a sample sum to the integral of the squared slope, not to f(x) - f(b), and
    there is no completeness gap. Points go where the decision is made, in two stages: the scores at
    even points are evaluated first, without gradients; of the gradients one half is then taken
    evenly, the other on equal pieces of what the score travels. The slope is the exact derivative.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        steps: Points on the path, both ends included: gradient evaluations per sample.
        baseline_value: Where the path starts, as for `IntegratedGradients`.
        tolerance: Relative error above which a `ConvergenceWarning` is given; None gives none and
            lets `Attribution.converged` hold up to 0.05.

    Raises:
        InputError: `steps` is below 3, or `tolerance` negative; all other errors are those of
            `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.IntegratedDecisionGradients(lambda x: 2 * x[:, 0] + x[:, 1])
        >>> method.explain(torch.tensor([[1.0, 3.0]])).round(decimals=4)
        tensor([[10., 15.]])
    """

    steps: int = setting(default=50, check=count_of(3))
    baseline_value: Any = 0.0
    tolerance: float | None = setting(default=None, check=check_tolerance)

    gist = "gradient where f changes"
    paper = Paper(
        "walker2023integrated",
        "Walker, Chase and Jha, Sumit and Chen, Kenny and Ewetz, Rickard",
        "Integrated Decision Gradients: Compute Your Attributions Where the Model Makes Its "
        "Decision",
        2023,
        "2305.20052",
    )
    guide = Guide(
        equation="(x_i - b_i) * integral of df/dx_i * df/da along the straight path",
        cost="`steps` gradients per sample, and as many evaluations",
        when="scores that saturate along the path: points and weight go to where the "
        "decision is made",
        when_not="shares of the score: it sums to the integral of the squared slope, in "
        "squared units",
    )

    def recipe(self) -> Recipe:
        """The path integral times the slope of the score."""
        return DecisionPath(nodes=FixedNodes(self.steps))
