"""Methods by name: found whatever the spelling, and which of its arguments a command line sets."""

from __future__ import annotations

import ast
import inspect
import re
from typing import Any

import polyattr
from polyattr import methods
from polyattr.cli.exits import WrongUseError
from polyattr.errors import nearest
from polyattr.explainer.base import MethodBase

EXPLAINING = tuple(methods.__all__)
"""Those `polyattr explain` takes: a number for each feature of the inputs."""


def every_method() -> dict[str, type[MethodBase]]:
    """All public methods by name, in the order of their table, then those of layers and pairs."""
    public = {name: getattr(polyattr, name) for name in polyattr.__all__}
    found = {
        name: kind
        for name, kind in public.items()
        if isinstance(kind, type) and issubclass(kind, MethodBase) and not inspect.isabstract(kind)
    }
    order = [*EXPLAINING, *(name for name in found if name not in EXPLAINING)]
    return {name: found[name] for name in order}


def find_method(name: str, known: dict[str, type[MethodBase]]) -> type[MethodBase]:
    """Finds a method; case, spaces, dashes and underscores do not matter, initials will do.

    Raises:
        WrongUseError: There is none of that name.
    """
    by_name = {_squeezed(each): kind for each, kind in known.items()}
    initials: dict[str, list[str]] = {}
    for each in known:
        initials.setdefault("".join(re.findall(r"[A-Z]", each)).lower(), []).append(each)
    asked = _squeezed(name)
    if asked in by_name:
        return by_name[asked]
    if len(few := initials.get(asked, [])) == 1:
        return known[few[0]]
    called = {_squeezed(each): each for each in known}
    close = nearest(asked, called, count=2)
    for squeezed, each in called.items():
        close = close.replace(repr(squeezed), repr(each))
    raise WrongUseError(f"unknown method {name!r}.{close} Known: {', '.join(known)}")


def read_settings(entries: tuple[str, ...]) -> dict[str, Any]:
    """Reads ``name=value`` settings; values are Python literals, or else texts.

    Raises:
        WrongUseError: One is not of that form.
    """
    found: dict[str, Any] = {}
    for entry in entries:
        name, equals, value = entry.partition("=")
        if not equals or not name.strip().isidentifier():
            raise WrongUseError(f"--set {entry!r} is not NAME=VALUE, such as --set max_steps=256")
        found[name.strip()] = literal(value.strip())
    return found


def literal(text: str) -> Any:
    """Reads a number, truth value, tuple or None; anything else is the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def check_settings(kind: type[MethodBase], settings: dict[str, Any]) -> None:
    """Checks that a method has the arguments it is given.

    Raises:
        WrongUseError: It has not.
    """
    known = [name for name in inspect.signature(kind).parameters if name != "model"]
    for name in settings:
        if name not in known:
            option = _OPTIONS.get(name, f"--{name.replace('_', '-')}")
            raise WrongUseError(
                f"{kind.__name__} has no {name}, which {option} sets.{nearest(name, known)} Its "
                f"own settings: {', '.join(own_settings(kind)) or 'none'}"
            )


def own_settings(kind: type[MethodBase]) -> list[str]:
    """Names the arguments a method has beside those that all have."""
    shared = set(inspect.signature(polyattr.Saliency).parameters)
    return [name for name in inspect.signature(kind).parameters if name not in shared]


_OPTIONS = {"baseline_value": "--baseline"}


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
