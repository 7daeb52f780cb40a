"""The box of a report that says what to distrust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.reports.distrust import checks
from polyattr.reports.distrust.checks import LARGE, Check, Known
from polyattr.reports.words import number, part, signed_number

Array = np.ndarray[Any, Any]

MOST = 24
"""Maps that are named for each doubt; the table marks all of them."""

CHECKS = (
    Check(
        "lost",
        "Values that are not finite",
        "not finite",
        checks.lost,
        "The gradient, or the score, was NaN or infinite somewhere between baseline and input. "
        "Nothing can be said of these samples, and sums and means over them are wrong.",
        "Leave these samples out, or look for what the model divides by, or takes the root or the "
        "logarithm of, there; another baseline, rule or noise visits other points.",
    ),
    Check(
        "unfinished",
        "Not converged",
        "not converged",
        checks.unfinished,
        "The error of the map is larger than the tolerance that was asked for (5% where none "
        "was): more points would give another map.",
        "Compute them again with more points: method.refine(result, inputs, tolerance=0.01) does "
        "it for these samples alone. Where the error does not fall, choose a baseline at which the "
        "gradient stays finite.",
    ),
    Check(
        "large",
        "Large error",
        "large error",
        checks.large,
        f"The error is within the tolerance that was asked for, but more than {part(LARGE)} of the "
        f"map's magnitude: small features, and the order of similar ones, may be wrong.",
        "Ask for a smaller tolerance, with method.refine(result, inputs, tolerance=0.01).",
    ),
    Check(
        "unknown",
        "Error not known",
        "error not known",
        checks.unknown,
        "A single draw, or a method inside another one, leaves no estimate of how exact the map "
        "is.",
        "Take more draws (nb_samples), or compare with a result of twice as many.",
    ),
    Check(
        "alike",
        "Baseline and input score alike",
        "alike",
        checks.alike,
        "f(x) is next to f(b), and the map explains their difference: it sums to next to nothing, "
        "and says how features cancel, not why the score is what it is.",
        "Choose a baseline that the model scores otherwise; polyattr.compare_baselines tries "
        "several in one call.",
    ),
    Check(
        "missed",
        "Map misses the difference of scores",
        "large gap",
        checks.missed,
        "The values should sum to f(x) - f(b) and are more than 10% of it off: some of the score "
        "is not in the map.",
        "Take more points (steps), or choose another baseline: a score that jumps at the baseline "
        "is missed by any number of points.",
    ),
    Check(
        "zero",
        "Maps of zeros",
        "all zero",
        checks.zero,
        "No gradient reached the input: it equals the baseline, units are dead or saturated, or "
        "something on the way is rounded, compared or detached.",
        "Explain the logits instead of a saturated probability, try another baseline, and look for "
        "what the model casts or rounds.",
    ),
    Check(
        "dominated",
        "One feature dominates",
        "dominated",
        checks.dominated,
        "One feature has nearly all of the map. That may be right; more often it is a leak of the "
        "answer into the data, a feature on a far larger scale than the others, or a defect.",
        "Look at that feature's values, scale the features alike, and see whether the model does "
        "as well without it.",
    ),
    Check(
        "probable",
        "Scores look like probabilities",
        "probabilities",
        checks.probable,
        "All scores lie between 0 and 1. A probability also rises by what lowers the other "
        "classes, and its gradient vanishes where the model is certain: maps fade and mix what "
        "speaks for a class with what speaks against the others.",
        "If they are probabilities, explain the scores before the softmax or sigmoid: "
        'output_layer="logits" in Keras models, elsewhere the layer before it, or return the '
        "logits from the model.",
    ),
)


@dataclass(frozen=True)
class Doubt:
    """One box of what to distrust.

    Attributes:
        check: What was checked.
        where: (K,) which maps it is true of, the worst first.
        of: How many maps there are.
        details: How bad, in words, of the first of them.
        more: What all have in common, in words; "" for nothing to say.
    """

    check: Check
    where: Array
    of: int
    details: tuple[str, ...]
    more: str = ""

    @property
    def named(self) -> list[tuple[int, str]]:
        """The first maps, with their details."""
        return [(int(i), said) for i, said in zip(self.where, self.details, strict=False)]

    @property
    def everywhere(self) -> bool:
        """Whether it is true of all maps."""
        return len(self.where) == self.of


@dataclass(frozen=True)
class Distrust:
    """All that was checked.

    Attributes:
        doubts: What is to be distrusted.
        passed: Checks that found nothing.
        impossible: Checks that could not be made.
    """

    doubts: tuple[Doubt, ...]
    passed: tuple[Check, ...]
    impossible: tuple[Check, ...]

    def marks(self, count: int) -> list[list[Check]]:
        """Returns what is to be distrusted in each of so many maps, but for what all have alike."""
        found: list[list[Check]] = [[] for _ in range(count)]
        for doubt in self.doubts:
            for i in doubt.where if doubt.check.key != "probable" else ():
                found[int(i)].append(doubt.check)
        return found


def look(known: Known) -> Distrust:
    """Makes all checks."""
    doubts, passed, impossible = [], [], []
    for check in CHECKS:
        found = check.find(known)
        if found is None:
            impossible.append(check)
            continue
        here = np.flatnonzero(found > 0)
        if not len(here):
            passed.append(check)
            continue
        where = here[np.argsort(-found[here], kind="stable")]
        doubts.append(_doubt(check, where, len(found), known))
    return Distrust(tuple(doubts), tuple(passed), tuple(impossible))


def _doubt(check: Check, where: Array, count: int, known: Known) -> Doubt:
    detail = _DETAILS.get(check.key)
    said = ["" if detail is None else detail(known, int(i)) for i in where[:MOST]]
    more = ""
    if check.key == "dominated":
        more = f"Which one, and in how many maps: {checks.dominating(known, where)}."
    if check.key == "probable":
        scores = known.flat("scores")
        more = f"They go from {number(np.nanmin(scores))} to {number(np.nanmax(scores))}."
    return Doubt(check, where, count, tuple(said), more)


def _error(known: Known, i: int) -> str:
    return f"error {part(float(known.flat('error')[i]))}"


def _lost(known: Known, i: int) -> str:
    count = int(known.maps.lost[i])
    return f"{count:,} not finite" if count else "its score"


def _alike(known: Known, i: int) -> str:
    return f"f(x) - f(b) = {signed_number(float(known.rise[i]))}"


def _missed(known: Known, i: int) -> str:
    gap, rise = float(known.flat("completeness_gap")[i]), float(known.rise[i])
    return f"{signed_number(gap)} of {signed_number(rise)}"


def _dominated(known: Known, i: int) -> str:
    share = float(known.maps.largest[i] / known.maps.size[i])
    return f"{known.maps.at[i]}, {part(share)}"


_DETAILS: dict[str, Callable[[Known, int], str]] = {
    "lost": _lost,
    "unfinished": _error,
    "large": _error,
    "alike": _alike,
    "missed": _missed,
    "dominated": _dominated,
}
