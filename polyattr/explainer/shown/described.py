"""Docstrings that say all there is to say: what bases say of arguments, written there once."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_HEADERS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example")
_HEADER = re.compile(rf"^(?=(?:{'|'.join(_HEADERS)}):$)", re.MULTILINE)
_ENTRY = re.compile(r"^    (\w+): ", re.MULTILINE)
_POINTER = re.compile(r"; this and the (?:other|keyword) arguments.*", re.DOTALL)
"""How an entry says that others stand elsewhere: nothing does where all are listed."""
_WIDTH = 96

WRITTEN = "_written"
"""Where a class keeps the docstring of its source."""


def describe(cls: type) -> None:
    """Has the docstring of a method's class say all of its arguments, its own first.

    The class's own words, and of each argument what the nearest of its bases says, with what it is
    if not given. Written once and made at import: `help` and notebooks read what a class has.
    """
    defaults: dict[str, Any] = {entry.name: entry.default for entry in fields(cls)}
    known = _of_bases(cls)
    said = {
        name: _with_default(name, known[name], defaults[name])
        for name in inspect.signature(cls).parameters
        if name in known
    }
    words = vars(cls)[WRITTEN] or f"A kind of `{cls.__mro__[1].__name__}`."
    cls.__doc__ = _with_arguments(inspect.cleandoc(words), said)


def _of_bases(cls: type) -> dict[str, str]:
    known: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        written = inspect.cleandoc(vars(base).get(WRITTEN, base.__doc__) or "")
        for name, text in _entries(written).items():
            if name not in known or not _POINTER.search(text):
                known[name] = _POINTER.sub(".", text)
    return known


def _with_default(name: str, text: str, value: Any) -> str:
    plain = value is None or isinstance(value, str | int | float | tuple)
    if not plain or value is MISSING:
        return text
    default = f"Default: {value!r}."
    last = len(f"\n    {name}: {text}".rpartition("\n")[2])
    return f"{text} {default}" if last + len(default) < _WIDTH else f"{text}\n        {default}"


def described_by(text: str) -> Callable[[Function], Function]:
    """Puts what a text says of arguments into the docstring of a function that has them.

    What the function says of some itself is kept.
    """
    taken = _entries(text)

    def described(function: Function) -> Function:
        written = inspect.getdoc(function)
        if written:  # there are none under python -OO
            known = taken | _entries(written)
            names = [name for name in inspect.signature(function).parameters if name in known]
            function.__doc__ = _with_arguments(written, {name: known[name] for name in names})
        return function

    return described


def _sections(text: str) -> list[str]:
    """Splits a docstring, its indentation gone, in front of each of its headers."""
    return _HEADER.split(text)


def _entries(text: str) -> dict[str, str]:
    """Returns what a docstring says of each argument, its lines as they stand there."""
    found: dict[str, str] = {}
    for section in _sections(text):
        if section.startswith("Args:"):
            parts = _ENTRY.split(section.rstrip())
            pairs = zip(parts[1::2], parts[2::2], strict=True)
            found |= {name: said.rstrip() for name, said in pairs}
    return found


def _with_arguments(text: str, said: Mapping[str, str]) -> str:
    """Returns a docstring whose arguments are those described."""
    body, *rest = [part for part in _sections(text) if not part.startswith("Args:")]
    lines = [f"    {name}: {words}" for name, words in said.items() if words]
    arguments = ["Args:\n" + "\n".join(lines)] if lines else []
    return "\n\n".join(part.strip() for part in [body, *arguments, *rest] if part.strip())


class Plain(str):
    """An annotation that `help` shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)
