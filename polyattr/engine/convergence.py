"""Telling a user that maps are off, once per call, from what is known about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.dtypes import FLOATS
from polyattr.engine.question import Answer
from polyattr.errors import ConvergenceWarning, warn

Array = np.ndarray[Any, Any]

DEFAULT_TOLERANCE = 0.05
"""Relative error up to which `Attribution.converged` holds when no tolerance was asked for."""

TOLD = 0.1
"""Relative error from which `explain` tells of it unasked. The kinks of ordinary ReLU networks
leave up to 0.06 at 50 points, where a gradient that explodes leaves 0.2 and more."""

FLOOR = 1e-3
"""Smallest score difference errors are relative to, as a fraction of the scores themselves: where
f(x) and f(b) all but coincide, a relative gap says nothing."""


def told_error(answer: Answer, dtype: str) -> Array | None:
    """Returns the relative error (N,) that the points of a path told, or None where they do not.

    What the integral misses of the way from f(b) to f(x), relative to all the score moved on that
    way: where it comes back to where it began, a gap far below one per cent of the map would be
    large beside the difference. Differences that rounding explains tell nothing.

    Args:
        answer: What the engine found.
        dtype: The dtype of the inputs.
    """
    course, slope = answer.course, answer.slope
    if course is None or slope is None:
        return None
    floor = max(FLOOR, FLOATS[dtype].noticeable) * course.level
    with np.errstate(all="ignore"):
        gap = np.abs(slope - course.rise)
        return np.where(gap == 0, 0.0, gap / np.maximum(course.travel, floor))


def jumped_error(answer: Answer, dtype: str, scores: Array, origin: Array) -> Array:
    """Returns the relative error (M,) of the first M samples where both ends of a path are known.

    A network that normalises may jump at its baseline: the points of the path, the first of which
    lies inside, know nothing of it. A score at the baseline that is not finite is an error, too.

    Args:
        answer: What the engine found, with a course and a slope.
        dtype: The dtype of the inputs.
        scores: (M,) f(x).
        origin: (M,) f(b).
    """
    course, slope, m = answer.course, answer.slope, len(scores)
    if course is None or slope is None:
        return np.full(m, np.nan)
    rise, travel, level = (each[:m] for each in course)
    with np.errstate(all="ignore"):
        whole = scores - origin
        floor = max(FLOOR, FLOATS[dtype].noticeable) * np.maximum(level, np.abs(origin))
        gap = np.abs(slope[:m] - whole)
        error = np.where(gap == 0, 0.0, gap / np.maximum(travel + np.abs(whole - rise), floor))
    return np.where(np.isfinite(scores) & ~np.isfinite(origin), np.inf, error)


@dataclass
class Convergence:
    """The errors of one call, over all batches of a dataset.

    Attributes:
        tolerance: The relative error that was asked for, or None.
        more: What to do about a larger one.
    """

    tolerance: float | None
    more: str
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
        limit = TOLD if self.tolerance is None else self.tolerance
        # An error nobody asked about is told of where it is known, not where it is NaN.
        above = ~(error <= limit) if asked else error > limit
        if not above.any():
            return
        worst = int(np.argmax(np.where(above, np.nan_to_num(error, nan=np.inf), -1)))
        what = f"tolerance={limit:g}" if asked else f"{limit:g}"
        rest = "" if asked else _ADVICE
        warn(
            f"{int(above.sum())} of {len(error)} samples have a relative error above "
            f"{what} (worst: {error[worst]:.3g}, sample {worst}); {self.more}{rest}",
            ConvergenceWarning,
        )


_ADVICE = (
    ", or choose a baseline at which the gradient stays finite: the attributions miss "
    "f(x) - f(baseline) by that much. attribute() has the error of each sample, and tolerance= "
    "says which one you accept"
)
