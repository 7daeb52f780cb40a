"""Which methods the demo runs and which digits it shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from polyattr import methods
from polyattr.errors import InputError, nearest
from polyattr.explainer import Explainer


@dataclass(frozen=True)
class DemoMethod:
    """One method of the demo.

    Attributes:
        name: The name of its class in `polyattr`.
        gist: What it computes, in a few words.
    """

    name: str
    gist: str


def _plain_methods() -> tuple[DemoMethod, ...]:
    """Reads off the methods what the demo says of them; those that need data too are left out."""
    kinds: list[type[Explainer]] = [getattr(methods, name) for name in methods.__all__]
    return tuple(
        DemoMethod(kind.__name__, kind.gist) for kind in kinds if not hasattr(kind, "background")
    )


METHODS = _plain_methods()


def choose_methods(name: str | None = None) -> tuple[DemoMethod, ...]:
    """Returns all methods, or the one named.

    Args:
        name: The class name; case, spaces, dashes and underscores do not matter.

    Raises:
        InputError: No such method; the nearest name is given.
    """
    if name is None:
        return METHODS
    by_name = {_plain(method.name): method for method in METHODS}
    if _plain(name) in by_name:
        return (by_name[_plain(name)],)
    close = nearest(_plain(name), by_name, count=1)
    for plain, method in by_name.items():
        close = close.replace(repr(plain), repr(method.name))
    known = ", ".join(method.name for method in METHODS)
    raise InputError(f"unknown method {name!r}.{close} Known: {known}")


def choose_digits(predicted: np.ndarray, labels: np.ndarray, count: int = 12) -> np.ndarray:
    """Chooses which digits to show: the misread ones, then others from a spread of classes.

    Args:
        predicted: (N,) classes the network sees.
        labels: (N,) classes they are.
        count: How many to choose; where more are misread, the first of them.

    Returns:
        (count,) positions, misread ones first.
    """
    wrong = np.flatnonzero(predicted != labels)[:count]
    right = np.flatnonzero(predicted == labels)
    chosen: list[int] = []
    # The class shown least so far is next, with its first image that is not shown yet.
    seen = np.bincount(labels[wrong], minlength=10)
    while len(wrong) + len(chosen) < min(count, len(labels)):
        rest = np.setdiff1d(right, chosen)
        place = int(rest[np.argmin(seen[labels[rest]])])
        seen[labels[place]] += 1
        chosen.append(place)
    ordered = sorted(chosen, key=lambda place: int(labels[place]))
    return np.concatenate([wrong, np.array(ordered, dtype=wrong.dtype)])


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
