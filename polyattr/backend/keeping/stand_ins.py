"""Finding stand-ins for tensors, which a trace left behind, in whatever the user made of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from polyattr.backend.keeping.keeper import FrameworkObjects

_MOST = 1000
_DEEPEST = 6


def holds_trace(objects: FrameworkObjects, value: object) -> bool:
    """Says whether a `value` is a stand-in for a tensor, or a container or object with one."""
    return any(objects.is_traced(held) for held in _held(value, set(), 0))


def _held(value: Any, seen: set[int], depth: int) -> Iterator[object]:
    if id(value) in seen or depth > _DEEPEST or len(seen) >= _MOST:
        return
    seen.add(id(value))
    yield value
    children: list[Any] = []
    if isinstance(value, dict):
        children = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        children = list(value)
    elif not hasattr(value, "shape") and not isinstance(value, type):
        own = getattr(value, "__dict__", None)
        children = list(own.values()) if isinstance(own, dict) else []
    for child in children:
        yield from _held(child, seen, depth + 1)
