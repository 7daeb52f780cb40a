"""Important Direction Gradient Integration."""

from __future__ import annotations

from typing import Any

from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.question.checks import check_tolerance, count_of
from polyattr.sampling import FixedNodes, ImportantDirections, Recipe


class IDGI(Explainer):
    r"""The change of the score along a straight path, shared out by the squares of the gradient.

    .. math:: \int_0^1 \frac{g_i(\alpha)^2}{\sum_j g_j(\alpha)^2} \, df(\alpha), \quad
        g(\alpha) = \nabla f(b + \alpha (x - b))

    Yang, Wang & Bilgic, IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients
    (2023), arXiv 2303.14242. Shape: that of the inputs, (N, ...). Units: those of the score; a
    feature far from its baseline counts no more than one near to it. The scores at all points are
    evaluated first, without gradients, and each gradient stands for half of what the score changes
    between its neighbours. So the attributions of a sample sum to f(x) - f(b) by construction,
    whatever the number of steps, and `Attribution.completeness_gap` says nothing about how right
    they are (it is far from 0 only where all gradients are 0 while the score changes).
    `Attribution.error` does: it comes from how far neighbouring points differ, and how far the map
    is from the one that every other point gives.

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
        >>> method = polyattr.IDGI(lambda x: 2 * x[:, 0] + x[:, 1])
        >>> method.explain(torch.tensor([[1.0, 3.0]])).round(decimals=4)
        tensor([[4., 1.]])
    """

    steps: int = setting(default=50, check=count_of(3))
    baseline_value: Any = 0.0
    tolerance: float | None = setting(default=None, check=check_tolerance)

    gist = "score change by gradient²"
    paper = Paper(
        "yang2023idgi",
        "Yang, Ruo and Wang, Binghui and Bilgic, Mustafa",
        "IDGI: A Framework to Eliminate Explanation Noise from Integrated Gradients",
        2023,
        "2303.14242",
    )
    guide = Guide(
        equation="integral of g_i^2 / sum_j g_j^2 over the change df along the straight "
        "path, g its gradient",
        cost="`steps` gradients per sample, and as many evaluations",
        when="sharp maps of pictures that sum to f(x) - f(b) whatever the number of steps",
        when_not="reading size or sign feature by feature: all features of a point share the "
        "sign of its change, and the distance from the baseline does not count",
    )

    def recipe(self) -> Recipe:
        """The integral in the measure of the score."""
        return ImportantDirections(nodes=FixedNodes(self.steps))
