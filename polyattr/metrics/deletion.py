"""Deletion: how fast the score falls as the most important features are removed."""

from __future__ import annotations

from typing import Any

from polyattr.explainer import Explainer
from polyattr.explainer.shown.described import described_by
from polyattr.metrics.batch import measured
from polyattr.metrics.records.arguments import ARGUMENTS
from polyattr.metrics.removal import OF_CURVES, Curve, Removal


@described_by(ARGUMENTS + OF_CURVES)
def deletion(
    method: Explainer, inputs: Any, targets: Any = None, *, attribution: Any = None,
    replacement: Any = 0.0, steps: int = 50, channel_axis: int | None = None,
    rank_by: str = "value", normalise: bool = False, seed: int = 0, **options: Any,
) -> Curve:  # fmt: skip
    r"""Removes features in the order of their attributions, and integrates the score.

    .. math:: \int_0^1 f(x \text{ without its first } u \, U \text{ features}) \, du

    by the trapezoid rule, in the units of the score: a map is the better the faster the score
    falls. Petsiuk, Das & Saenko, RISE (2018), arXiv 1806.07421. Equal attributions are removed in
    an order drawn by (`seed`, sample); `Curve.tied` says how many there are. What is left of an
    input that is half removed need be like no input the model knows: a low area speaks for the map
    and the replacement together.

    Returns:
        A `Curve`; `values` are the areas (N,), lower is better.

    Raises:
        InputError: `steps` is below 1, `rank_by` is unknown, or shapes do not fit each other.
        InputTypeError: `method` is no method, or an option is unknown.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(lambda x: x.sum(1))
        >>> metrics.deletion(method, torch.tensor([[3.0, 1.0]])).values
        array([1.5])
    """
    asked = Removal(replacement, steps, channel_axis, rank_by, normalise, seed)
    found: Curve = measured(
        method, inputs, targets, attribution, options, lambda batch: asked.measure(batch, False)
    )
    return found
