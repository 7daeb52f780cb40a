"""Insertion: how fast the score rises as the most important features are put in."""

from __future__ import annotations

from typing import Any

from polyattr.explainer import Explainer
from polyattr.explainer.shown.described import described_by
from polyattr.metrics.batch import measured
from polyattr.metrics.records.arguments import ARGUMENTS
from polyattr.metrics.removal import OF_CURVES, Curve, Removal


@described_by(ARGUMENTS + OF_CURVES)
def insertion(
    method: Explainer, inputs: Any, targets: Any = None, *, attribution: Any = None,
    replacement: Any = 0.0, steps: int = 50, channel_axis: int | None = None,
    rank_by: str = "value", normalise: bool = False, seed: int = 0, **options: Any,
) -> Curve:  # fmt: skip
    r"""Puts features into the replacement in the order of their attributions.

    .. math:: \int_0^1 f(\text{the first } u \, U \text{ features of } x \text{ alone}) \, du

    by the trapezoid rule, in the units of the score: a map is the better the faster the score
    rises. Petsiuk, Das & Saenko, RISE (2018), arXiv 1806.07421. A blurred picture is a common
    replacement here, ``replacement=polyattr.baselines.Blur(3.0)``. Raises the errors of
    `deletion`.

    Returns:
        A `Curve`; `values` are the areas (N,), higher is better.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(lambda x: x.sum(1))
        >>> metrics.insertion(method, torch.tensor([[3.0, 1.0]])).values
        array([2.5])
    """
    asked = Removal(replacement, steps, channel_axis, rank_by, normalise, seed)
    found: Curve = measured(
        method, inputs, targets, attribution, options, lambda batch: asked.measure(batch, True)
    )
    return found
