"""The checks: which maps of a result are better not believed, why, and what to do next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.reports.distrust.magnitudes import Magnitudes
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]

LARGE = 0.1
"""Relative error of a map above which it is large, whatever was asked for."""
_ALIKE = 0.05
"""Part of the scores, and of the map, below which a difference of scores is nothing to explain."""
_MISSED = 0.1
"""Part of the difference of scores that the sum of a map may miss."""
_FEW, _OF_FEW, _OF_MANY = 100, 0.8, 0.3
"""Features that are few; the part of a map that one of them has where it dominates; one of more."""
_CLASSES = ("None", "'classification'", "'semantic segmentation'")


@dataclass(frozen=True)
class Known:
    """What is checked.

    Attributes:
        result: On the host.
        maps: What was measured of its maps.
    """

    result: Attribution
    maps: Magnitudes

    def flat(self, name: str) -> Array:
        """Returns a field as (M,) float64; NaN where there is none."""
        array = getattr(self.result, name)
        if array is None:
            return np.full(self.result.scores.size, np.nan)
        return np.asarray(array, dtype=np.float64).ravel()

    @property
    def rise(self) -> Array:
        """f(x) - f(b) of each map (M,); NaN without a baseline."""
        with np.errstate(invalid="ignore"):
            return self.flat("scores") - self.flat("baseline_scores")


@dataclass(frozen=True)
class Check:
    """One thing that may be wrong.

    Attributes:
        key: Of the page's anchors.
        title: What is wrong, as a heading.
        short: The same in a table, in a word or two.
        find: Says of each map (M,) how bad it is, 0 for not at all; None where it cannot be told.
        why: Why it matters.
        cure: What to do next.
    """

    key: str
    title: str
    short: str
    find: Callable[[Known], Array | None]
    why: str
    cure: str


def lost(known: Known) -> Array:
    """Maps with values that are not finite, or whose scores are not."""
    scores = ~np.isfinite(known.flat("scores"))
    if known.result.baseline_scores is not None:
        scores |= ~np.isfinite(known.flat("baseline_scores"))
    return np.asarray(known.maps.lost + scores, dtype=np.float64)


def unfinished(known: Known) -> Array:
    """Maps whose error is known and above the tolerance."""
    error = known.flat("error")
    here = ~np.asarray(known.result.converged, bool).ravel() & ~np.isnan(error)
    here &= lost(known) == 0
    return np.where(here, np.maximum(error, np.finfo(float).tiny), 0.0)


def large(known: Known) -> Array:
    """Maps within their tolerance whose error is large all the same."""
    error = known.flat("error")
    here = np.asarray(known.result.converged, bool).ravel() & (error > LARGE)
    return np.where(here, error, 0.0)


def unknown(known: Known) -> Array:
    """Maps of finite values whose error is not known."""
    return np.asarray(np.isnan(known.flat("error")) & (lost(known) == 0), dtype=np.float64)


def alike(known: Known) -> Array | None:
    """Maps whose sample scores like its baseline, so that the parts of the map cancel.

    The difference has to be small beside the map's magnitude, and beside the scores or the middle
    one of all differences: regressions far from zero, and maps of photos, are not alike for that.
    """
    if known.result.baseline_scores is None:
        return None
    rise = np.abs(known.rise)
    finite = rise[np.isfinite(rise)]
    level = np.fmax(np.abs(known.flat("scores")), np.abs(known.flat("baseline_scores")))
    level = np.fmax(level, float(np.median(finite)) if finite.size else 0.0)
    here = (rise < _ALIKE * known.maps.size) & (rise < _ALIKE * level) & (lost(known) == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(here, known.maps.size / rise, 0.0)


def missed(known: Known) -> Array | None:
    """Maps that should sum to the difference of scores and do not; those of alike ends aside."""
    near = alike(known)
    if known.result.completeness_gap is None or near is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.abs(known.flat("completeness_gap") / known.rise)
    return np.where((near == 0) & (lost(known) == 0) & (part > _MISSED), part, 0.0)


def zero(known: Known) -> Array:
    """Maps that are zero everywhere."""
    return np.asarray((known.maps.size == 0) & (known.maps.lost == 0), dtype=np.float64)


def dominated(known: Known) -> Array | None:
    """Maps of which one feature has nearly all."""
    if known.maps.features < 3:
        return None
    limit = _OF_FEW if known.maps.features <= _FEW else _OF_MANY
    with np.errstate(divide="ignore", invalid="ignore"):
        part = known.maps.largest / known.maps.size
    return np.where((part > limit) & (known.maps.lost == 0), part, 0.0)


def probable(known: Known) -> Array | None:
    """All maps, where all scores lie between 0 and 1 as probabilities do; None if that says less.

    A layer or an operator that was named is what was meant, and weighted outputs are none.
    """
    result, text = known.result, known.result.method
    operator = re.search(r"\boperator=([^,)]+)", text)
    layer = re.search(r"\boutput_layer=(?!None)", text)
    targets = result.targets
    weights = isinstance(targets, str) or (
        isinstance(targets, np.ndarray) and targets.dtype.kind not in "iu"
    )
    if layer or weights or (operator and operator[1].strip() not in _CLASSES):
        return None
    scores = [known.flat("scores")]
    scores += [] if result.baseline_scores is None else [known.flat("baseline_scores")]
    every = np.concatenate(scores)
    every = every[np.isfinite(every)]
    inside = every.size > 1 and bool(((every >= 0) & (every <= 1)).all())
    # 0 and 1 alone are no probabilities: a step, or an exact sum of few.
    return np.full(len(scores[0]), float(inside and bool(((every > 0) & (every < 1)).any())))


def dominating(known: Known, where: Array) -> str:
    """Names the features that dominate, with how often."""
    often = Counter(known.maps.at[int(i)] for i in where).most_common(3)
    return ", ".join(f"{name} ({count:,})" for name, count in often)
