"""Methods by name, found whatever the spelling."""

from __future__ import annotations

import inspect
import re

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


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_-]", "", name).lower()
