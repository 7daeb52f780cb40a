"""Signatures as a reader writes calls: one argument a line where they are many."""

from __future__ import annotations

import inspect
from typing import Any

_WIDTH = 88
_STARS: dict[object, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def signature(name: str, thing: Any) -> str:
    """The name with its arguments, their defaults and, where they are short, their types."""
    try:
        known = list(inspect.signature(thing).parameters.values())
    except ValueError:  # of a class that says nothing, as those of exceptions
        return name
    shown = [p for p in known if p.name != "self" and p.name[0] != "_"]
    if isinstance(thing, type) and issubclass(thing, BaseException):
        return name
    parts: list[str] = []
    starred = False
    for parameter in shown:
        starred = starred or parameter.kind is inspect.Parameter.VAR_POSITIONAL
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and not starred:
            parts, starred = [*parts, "*"], True
        parts.append(_written(parameter))
    line = f"{name}({', '.join(parts)})"
    if len(line) <= _WIDTH:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _written(parameter: inspect.Parameter) -> str:
    star = _STARS.get(parameter.kind, "")
    given = parameter.annotation
    kind = "" if given is parameter.empty else getattr(given, "__forward_arg__", given)
    kind = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    typed = f": {kind}" if kind and kind != "Any" else ""
    if parameter.default is parameter.empty:
        return f"{star}{parameter.name}{typed}"
    value = repr(parameter.default)
    value = "..." if len(value) > 40 or " object at 0x" in value else value
    return f"{parameter.name}{typed} = {value}" if typed else f"{parameter.name}={value}"
