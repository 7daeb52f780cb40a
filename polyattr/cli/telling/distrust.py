"""What of a result should not be believed as it stands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from polyattr.cli.lines import plain
from polyattr.errors import BaselineWarning, ConvergenceWarning
from polyattr.results.attribution import Attribution
from polyattr.results.exports import axes

Array = np.ndarray[Any, Any]

_ALIKE, _DOMINANT = 0.01, 0.9
_OWN = (ConvergenceWarning, BaselineWarning)
"""Said here for each result, whether it was computed or read."""


def distrust(result: Attribution, warned: Sequence[Warning] = ()) -> list[str]:
    """Returns a line for each reason for doubt.

    Args:
        result: With NumPy arrays.
        warned: Warnings that came with it.
    """
    n = result.scores.size
    found = [_unconverged(result, n), *_values(result), _alike(result, n)]
    said = [plain(warning, 240) for warning in warned if not isinstance(warning, _OWN)]
    return [line for line in [*found, *said] if line]


def _unconverged(result: Attribution, n: int) -> str:
    late, error = ~np.asarray(result.converged, dtype=bool), result.error
    if not late.any():
        return ""
    known = error[np.isfinite(error)]
    worst = f", the largest error is {known.max():.0%} of its map" if known.size else ""
    return f"{int(late.sum())} of {n} maps have not converged{worst}: take more steps or samples"


def _values(result: Attribution) -> list[str]:
    broken = dominated = 0
    n = result.scores.size
    for _, values, _ in axes.leaves(result):
        flat = values.reshape(n, math.prod(values.shape) // max(n, 1))
        finite = np.isfinite(flat).all(axis=1)
        broken += int((~finite).sum())
        if flat.shape[1] >= 3:
            sizes = np.abs(flat[finite])
            total = sizes.sum(axis=1)
            dominated += int((sizes.max(axis=1) > _DOMINANT * total)[total > 0].sum())
    lines = []
    if broken:
        lines.append(f"{broken} of {n} maps have values that are no finite numbers")
    if dominated:
        lines.append(f"in {dominated} of {n} maps one feature has over 90% of the sum")
    return lines


def _alike(result: Attribution, n: int) -> str:
    base = result.baseline_scores
    if base is None:
        return ""
    apart = np.abs(result.scores - base)
    size = np.maximum(np.abs(result.scores), np.abs(base))
    alike = int((apart <= _ALIKE * size).sum())
    return f"{alike} of {n} samples score like their baseline: try another one" if alike else ""
