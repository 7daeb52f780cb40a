"""The walk over everything that can be reached."""

from __future__ import annotations

import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np

from polyattr.backend.snapshots import callables, objects
from polyattr.backend.snapshots.trail import Trail
from polyattr.backend.snapshots.watched import Unfollowed, Watched

_MOST_OBJECTS = 1_000_000
_ROWS = frozenset({list, tuple, set, frozenset, deque})
_DICTS = frozenset({dict, defaultdict, OrderedDict})


class Walker:
    """Walks once, without recursion: any depth, circles included.

    Args:
        watched: From where, and where following ends.
        is_tensor: Tells the framework's tensors, which are compared by identity.
    """

    def __init__(self, watched: Watched, is_tensor: Callable[[Any], bool]) -> None:
        self._watched, self._is_tensor = watched, is_tensor
        self._seen: dict[int, int] = {}
        self._passed = _leaves(watched.passed)
        self.trail = Trail()

    def walk(self) -> Trail:
        """Walks, and returns what was found."""
        trail = self.trail
        stack: list[Any] = list(reversed(self._watched.roots))
        while stack:
            while stack:
                stack.extend(reversed(self._reached(stack.pop())))
                if len(self._seen) > _MOST_OBJECTS:
                    trail.doubt = "there is too much to follow"
                    return trail
            for value, library in reversed(trail.released()):
                stack.append(_Foreign(value) if library else value)
        return trail

    def _reached(self, value: Any) -> list[Any]:
        try:
            return self._visit(value)
        except Exception as error:  # an object of any author, which may answer in any way
            return self.trail.doubtful(value, f"a {type(value).__name__} raised {error!r}")

    def _visit(self, value: Any) -> list[Any]:
        trail, kind = self.trail, type(value)
        if kind in objects.PLAIN or kind is float or kind is complex:
            trail.tokens += (kind, objects.plain_token(value))
            return []
        if kind is _Foreign:
            value = value.value
            plain = isinstance(value, types.ModuleType) or type(value) in objects.PLAIN
            return self._visit(value) if plain else callables.follow_foreign(trail, value)
        if id(value) in self._seen:
            trail.tokens += ("again", self._seen[id(value)])
            return []
        self._seen[id(value)] = len(self._seen)
        trail.kept.append(value)
        if id(value) in self._passed:
            trail.tokens.append("argument")
            return []
        if self._is_tensor(value) or isinstance(value, (*self._watched.whole, Unfollowed)):
            return trail.one("whole", value)
        return self._follow(value, kind)

    def _follow(self, value: Any, kind: type) -> list[Any]:
        trail = self.trail
        if kind in _DICTS:
            return objects.follow_dict(trail, value)
        if kind in _ROWS:
            return objects.follow_rows(trail, value)
        if kind is types.FunctionType:
            return callables.follow_function(trail, value)
        if isinstance(value, callables.BUILTIN):
            return callables.follow_builtin(trail, value)
        if isinstance(value, callables.DESCRIPTORS):
            return trail.one("descriptor", value)
        if isinstance(value, types.ModuleType):
            return callables.follow_module(trail, value)
        if isinstance(value, type):
            return callables.follow_class(trail, value, made=True)
        if isinstance(value, np.ndarray):
            return objects.follow_array(trail, value)
        parts = callables.parts_of_callable(value)
        if parts is not None:
            trail.tokens.append(kind)
            return list(trail.guards.read(_parts, value)) if isinstance(value, partial) else parts
        special = objects.follow_special(trail, value)
        if special is not None:
            return special
        return objects.follow_instance(trail, value, self._watched.unread)


def _parts(value: Any) -> list[Any]:
    return callables.parts_of_callable(value) or []


class _Foreign:
    """Wraps what was found by name in a library's module."""

    def __init__(self, value: Any) -> None:
        self.value = value


def _leaves(values: Iterable[Any]) -> dict[int, Any]:
    """Returns by their ids all objects in nested containers that are no containers."""
    found: dict[int, Any] = {}
    stack = list(values)
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list | tuple):
            stack.extend(value)
        elif value is not None and type(value) not in objects.PLAIN:
            found[id(value)] = value
    return found
