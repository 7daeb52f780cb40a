"""Which of a loss's two arguments is the model's output: frameworks disagree, their names tell."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any

from polyattr.errors import InputTypeError

_TRUTH = frozenset(
    [
        "true",
        "truth",
        "target",
        "label",
        "gold",
        "gt",
        "actual",
        "expected",
        "observed",
        "reference",
        "answer",
    ]
)
_GUESS = frozenset(
    [
        "pred",
        "prediction",
        "predicted",
        "predictor",
        "output",
        "out",
        "p",
        "z",
        "input",
        "logit",
        "hat",
        "yhat",
        "ypred",
        "score",
        "prob",
        "probability",
        "probs",
        "estimate",
        "estimated",
        "forecast",
    ]
)


def targets_first(function: Callable[..., Any]) -> bool:
    """Says whether a loss takes targets before outputs, as those of Keras and `tf.nn` do.

    Args:
        function: A loss; what names its arguments do not give away takes outputs first.

    Raises:
        InputTypeError: Both names mean targets, or both mean outputs.
    """
    names = _first_two(function)
    if names is None:
        return False
    first, second = (_meaning(name) for name in names)
    if first is not None and first == second:
        raise InputTypeError(
            f"function takes {names[0]} and {names[1]}, and which of them is the model's output "
            f"cannot be told; expected (outputs, targets) or, as in Keras, (y_true, y_pred): pass "
            f"lambda outputs, targets: function(..., ...)"
        )
    return first == "truth" or (first is None and second == "guess")


def _first_two(function: Callable[..., Any]) -> tuple[str, str] | None:
    """Names the first two positional arguments; None where that is not known."""
    kinds = inspect.Parameter
    for candidate in _looked_into(function):
        try:
            parameters = list(inspect.signature(candidate).parameters.values())
        except (TypeError, ValueError):
            continue
        names = [
            p.name
            for p in parameters
            if p.kind in {kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD}
        ]
        if len(names) >= 2:
            return names[0], names[1]
    return None


def _looked_into(function: Any) -> list[Any]:
    """Returns what may say how a loss is called: itself, then what it hands its arguments to."""
    found = [function]
    # A compiled module, and a module: what is called takes anything.
    for name in ("_orig_mod", "forward"):
        inner = getattr(found[-1], name, None)
        if callable(inner) and not isinstance(found[-1], functools.partial):
            found.append(inner)
    return found


def _meaning(name: str) -> str | None:
    """Says what a name means: "truth", "guess", or None."""
    words = {word.rstrip("0123456789") for word in re.findall(r"[a-z0-9]+", name.lower())}
    words |= {word.removesuffix("s") for word in words}
    truth, guess = bool(words & _TRUTH), bool(words & _GUESS)
    if truth == guess:
        return None
    return "truth" if truth else "guess"
