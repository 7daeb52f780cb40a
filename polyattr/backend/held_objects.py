"""Which arrays a plain function computes with: what a compiled kernel of it would freeze."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from polyattr.backend.presence import has

_DEEPEST = 6


def held_objects(function: object, whole: tuple[type, ...] = ()) -> tuple[object, ...]:
    """Collects the objects a function refers to, in a fixed order.

    A kernel compiled from the function holds their values; if a later call finds another object
    (new weights under the same name), the kernel is out of date. Objects changed in place, such
    as a framework's own variables, are the framework's business; a NumPy array written into in
    place is not noticed where a kernel froze it.

    Args:
        function: The function.
        whole: Classes whose instances are returned as they are, not taken apart.
    """
    return tuple(_walk(function, 0, set(), whole))


def _walk(value: Any, depth: int, seen: set[int], whole: tuple[type, ...]) -> Iterator[object]:
    if id(value) in seen or depth > _DEEPEST or isinstance(value, types.ModuleType | type):
        return
    # Whole numbers count calls or index layers: as weights they would recompile for nothing.
    if value is None or isinstance(value, str | bytes | int):
        return
    seen.add(id(value))
    inner = None if isinstance(value, whole) else _inside(value)
    if inner is None:
        yield value
        return
    for child in inner:
        yield from _walk(child, depth + 1, seen, whole)


def _inside(value: Any) -> list[Any] | None:
    """Returns what an object is made of, or None for a leaf."""
    if has(value, "shape") or isinstance(value, float | complex):
        return None
    if isinstance(value, partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, types.FunctionType):
        return _function_parts(value)
    if has(value, "__wrapped__"):
        return [value.__wrapped__]
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    return list(vars(value).values()) if hasattr(value, "__dict__") else None


def _function_parts(function: types.FunctionType) -> list[Any]:
    cells = [_content(cell) for cell in function.__closure__ or ()]
    names = _names(function.__code__)
    used = [function.__globals__[name] for name in names if name in function.__globals__]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return [*cells, *used, *defaults]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # the cell is still empty: a function that refers to itself
        return None


def _names(code: types.CodeType) -> list[str]:
    nested = [_names(c) for c in code.co_consts if isinstance(c, types.CodeType)]
    return [*code.co_names, *(name for names in nested for name in names)]
