"""The same method with more points or draws, to try one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from polyattr.errors import InputError

MOST_DOUBLINGS = 6
"""How often the number of points or draws is doubled."""


class Effort(NamedTuple):
    """What says how much a method does for a sample.

    Attributes:
        points: The argument that says so.
        most: The argument that bounds it where the method chooses.
    """

    points: str
    most: str


_EFFORTS = (Effort("steps", "max_steps"), Effort("nb_samples", "max_samples"))
_FREE = re.compile(
    r"\b(steps|max_steps|nb_samples|max_samples|tolerance|batch_size|budget_ms)=[^,)]*"
)
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def effort_of(method: Any) -> Effort:
    """Returns what says how much a method does for a sample.

    Raises:
        InputError: Nothing does: its gradients are exact.
    """
    for effort in _EFFORTS:
        if hasattr(type(method), effort.points):
            return effort
    raise InputError(
        f"{type(method).__name__} takes no steps and no draws, so there is nothing to refine: the "
        f"error of its results is that of the gradient itself"
    )


def attempts(method: Any, tolerance: float) -> Iterator[Any]:
    """Yields the method with a tolerance and more and more points or draws.

    Twice the intervals of a path, or twice the draws; of a method that chooses their number, first
    the tolerance alone where it is a tighter one, or time was short, then twice the most it may
    take.

    Raises:
        InputError: The method has neither points nor draws.
    """
    points, most = effort_of(method)
    told: dict[str, Any] = {}
    if hasattr(type(method), "tolerance"):
        told["tolerance"] = tolerance
    hurried = getattr(method, "budget_ms", None) is not None
    if hurried:  # who asks for a tolerance gives it the time it takes
        told["budget_ms"] = None
    chooses = getattr(method, points) == "auto" or getattr(method, "rule", None) == "exact"
    within = chooses and method.tolerance is not None and method.tolerance <= tolerance
    if chooses and told and (hurried or not within):
        yield replace(method, **told)
    name = most if chooses else points
    number = int(getattr(method, name))
    for _ in range(MOST_DOUBLINGS):
        # Both ends of a path are counted, and old points stay points of the new one.
        number = 2 * number - 1 if name == "steps" and number > 1 else 2 * number
        yield replace(method, **told, **{name: number})


def same_but_for_effort(made_by: str, method: Any) -> bool:
    """Says whether a result's settings are those of a method, whatever number of points it took."""
    return _plain(made_by) == _plain(repr(method))


def _plain(text: str) -> str:
    return _ADDRESS.sub("", _FREE.sub("", text)).replace(", )", ")").replace(", ,", ",")
