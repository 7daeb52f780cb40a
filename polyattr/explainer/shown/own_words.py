"""Calls say themselves what they take, and refuse everything else in words of ours."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import wraps
from typing import Any, TypeVar

from polyattr.errors import InputTypeError, nearest
from polyattr.question.foreign.arguments import our_argument, our_place

_KEPT = ("names", "keep_inputs")

Function = TypeVar("Function", bound=Callable[..., Any])


def own_words(function: Function) -> Function:
    """Has a call refuse what it does not take with the argument that was meant.

    The arguments stand in the signature, where completion, type checkers and `help` find them.
    Comparing names costs a call 0.4 microseconds; `**others` would be shown to users.
    """
    listed = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
    places = [p.name for p in listed if p.kind is p.POSITIONAL_OR_KEYWORD]
    known, first, most = frozenset(p.name for p in listed), places[0], len(places)

    @wraps(function)
    def call(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        if len(args) > most or not known.issuperset(kwargs) or not (args or first in kwargs):
            raise _refused(self, function.__name__, [p.name for p in listed], places, args, kwargs)
        return function(self, *args, **kwargs)

    return call  # type: ignore[return-value]  # it takes what `function` does


def _refused(
    method: Any,
    name: str,
    known: list[str],
    places: list[str],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> InputTypeError:
    """Says which argument is one too many, or missing."""
    kind = type(method).__name__
    unknown = [given for given in kwargs if given not in known]
    if unknown:
        given = unknown[0]
        hint = our_argument(given, kind)
        if given in _KEPT:
            hint = f" A result keeps it: method.attribute(inputs, targets, {given}=...)."
        elif given in {entry.name for entry in fields(method) if entry.init}:
            hint = our_place(given, kind, "constructor")
        hint = hint or nearest(given, known)
        return InputTypeError(
            f"a call has no argument {given!r}.{hint} Its arguments: {', '.join(known)}"
        )
    by_name = ", ".join(f"{key}=" for key in known[len(places) :])
    if len(args) > len(places):
        return InputTypeError(
            f"{name} is given {len(args)} arguments by position; expected {' and '.join(places)}, "
            f"and by name what else there is: {by_name}"
        )
    return InputTypeError(
        f"{name} is given no {places[0]}; expected {name}({', '.join(places)}, ...)"
    )
