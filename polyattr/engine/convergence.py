"""Telling a user that maps are off, once per call, from what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.dtypes import FLOATS
from polyattr.errors import ConvergenceWarning, warn
from polyattr.sampling.errors.smoothness import FLOOR

Array = np.ndarray[Any, Any]

DEFAULT_TOLERANCE = 0.05
"""Relative error up to which a map has converged when no tolerance was asked for."""


def least_error(gap: Array, level: Array, size: Array, dtype: str) -> Array:
    """Returns the relative error (N,) that maps have at least, since they miss f(x) - f(b).

    Errors of features may cancel in their sum, and add up to no less than it. What rounding of the
    scores explains is left out.

    Args:
        gap: (N,) sum of the attributions minus f(x) - f(b).
        level: (N,) the largest score that went into it, without its sign.
        size: (N,) summed magnitude of the attributions.
        dtype: The dtype of the inputs.
    """
    with np.errstate(all="ignore"):
        missed = np.abs(gap) - FLOATS[dtype].noticeable * np.abs(level)
        return np.where(missed <= 0, 0.0, missed / size)


def relative_gap(gap: Array, scores: Array, origin: Array) -> Array:
    """Returns |gap| relative to |f(x) - f(b)| (N,), or to a floor where that is smaller."""
    floor = FLOOR * np.maximum(np.abs(scores), np.abs(origin))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(gap == 0, 0.0, np.abs(gap) / np.maximum(np.abs(scores - origin), floor))


@dataclass
class Convergence:
    """The errors of one call, over all batches of a dataset.

    Attributes:
        tolerance: The relative error that was asked for, or None.
        more: What to do about a larger one.
        path: Whether another baseline may help.
    """

    tolerance: float | None
    more: str
    path: bool = True
    _errors: list[Array] = field(default_factory=list)

    def add(self, error: Array | None) -> None:
        """Adds the errors (N,) of a batch, if they are known."""
        if error is not None:
            self._errors.append(error)

    def tell(self) -> None:
        """Warns if samples are above the tolerance.

        Warns:
            ConvergenceWarning: Some are.
        """
        if not self._errors:
            return
        error = np.concatenate(self._errors)
        asked = self.tolerance is not None
        limit = DEFAULT_TOLERANCE if self.tolerance is None else self.tolerance
        # An error nobody asked about is told of where it is known, not where it is NaN.
        above = ~(error <= limit) if asked else error > limit
        if not above.any():
            return
        worst = int(np.argmax(np.where(above, np.nan_to_num(error, nan=np.inf), -1)))
        what = f"tolerance={limit:g}" if asked else f"{limit:g}"
        rest = "" if asked else (_BASELINE if self.path else "") + _ADVICE
        warn(
            f"{int(above.sum())} of {len(error)} samples have a relative error above "
            f"{what} (worst: {error[worst]:.3g}, sample {worst}); {self.more}{rest}",
            ConvergenceWarning,
        )


_BASELINE = ", or choose a baseline at which the gradient stays finite"
_ADVICE = ". attribute() has the error of each sample, and tolerance= says which one you accept"
