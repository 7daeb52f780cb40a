"""Baselines that score like the sample: what a path from there explains is next to nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.sampling.errors.course import Course

Array = np.ndarray[Any, Any]

_TINY = 0.05
"""Part of the scores' spread below which a difference of scores is nothing to explain."""


def alike_ends(course: Course, every: bool, noticeable: float) -> Array:
    """Finds the samples whose score is next to that of their baseline.

    The scores' spread is what they move along a path, up and down: that of the sample itself or
    that of the middle one of all, whichever is larger.

    Args:
        course: How scores go along the paths.
        every: Whether a single one counts, where its error is judged by that difference; else half
            of them have to be alike: of many samples a few are by chance.
        noticeable: Part of a score that is more than its rounding.

    Returns:
        Their numbers; none if they are too few to tell of.
    """
    travel = np.where(np.isfinite(course.travel), course.travel, 0.0)
    spread = np.maximum(travel, np.median(travel)) if len(travel) else travel
    with np.errstate(invalid="ignore"):
        alike = np.abs(course.rise) < _TINY * spread
        found = np.flatnonzero(alike & (spread > noticeable * course.level))
    few = 1 if every else len(travel) / 2
    return found if len(found) >= few else found[:0]
