"""Completeness: whether attributions sum to what the score has gained over its baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.explainer import Explainer
from polyattr.explainer.binding.points import Points
from polyattr.explainer.shown.described import described_by
from polyattr.metrics.batch import Batch, measured
from polyattr.metrics.records.arguments import ARGUMENTS
from polyattr.metrics.records.measurement import Measurement
from polyattr.question.checks import check_flag

Array = np.ndarray[Any, Any]


_OWN = """
Args:
    replacement: b, what a baseline may be, in the shape of what is attributed to. None is the
        method's own baseline, or 0 for methods without one.
    relative: Divide by f(x) - f(b); NaN where that is 0.
"""


@described_by(ARGUMENTS + _OWN)
def completeness(
    method: Explainer, inputs: Any, targets: Any = None, *, attribution: Any = None,
    replacement: Any = None, relative: bool = False, **options: Any,
) -> Measurement:  # fmt: skip
    r"""Measures by how much attributions miss the difference of the scores.

    .. math:: \sum_i \phi_i(x) - (f(x) - f(b))

    signed, in the units of the score. Sundararajan, Taly & Yan, Axiomatic Attribution for Deep
    Networks (2017), arXiv 1703.01365. Small numbers speak for the sum alone: errors of opposite
    signs cancel in it.

    Returns:
        A `Measurement`: `values` (N,), best near 0.

    Raises:
        InputError: Shapes do not fit each other.
        InputTypeError: `method` is no method, or an option is unknown.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(lambda x: (x**2).sum(1))
        >>> metrics.completeness(method, torch.tensor([[3.0]])).values
        array([9.])
    """
    check_flag("relative", relative)

    def measure(batch: Batch) -> Measurement:
        sums, before, after = batch.score(lambda points, maps: _ends(points, maps, replacement))
        gained = after - before
        gap = sums - gained
        if relative:
            gap = np.divide(gap, gained, out=np.full_like(gap, np.nan), where=gained != 0)
        settings = {"replacement": replacement, "relative": relative}
        return Measurement("completeness", repr(method), gap, settings=settings, better="zero")

    found: Measurement = measured(method, inputs, targets, attribution, options, measure)
    return found


def _ends(points: Points, maps: list[Array], replacement: Any) -> tuple[Array, Array, Array]:
    """Returns the sums of the maps, and the scores at both ends, (N,) each."""
    start = points.starts(replacement, "replacement")
    sums = sum((leaf.reshape(len(leaf), -1).sum(axis=1) for leaf in maps), np.zeros(points.n))
    after = points.scores_at(points.leaves)
    backend, ends = points.backend, []
    for begin in start:
        at = [backend.zeros(tuple(x.shape), x, backend.dtype(x)) + b
              for x, b in zip(points.leaves, begin, strict=True)]  # fmt: skip
        ends.append(points.scores_at(at))
    return sums, np.mean(ends, axis=0), after
