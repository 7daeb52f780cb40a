"""What a model holds that a call can change, and how it is put back: hidden states, counters."""

from __future__ import annotations

import sys
import types
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from random import Random
from typing import Any

import numpy as np

from polyattr.backend.keeping import containers
from polyattr.backend.keeping.containers import Part
from polyattr.backend.keeping.keeper import FrameworkObjects, Keeper, has_array
from polyattr.backend.keeping.stand_ins import holds_trace
from polyattr.backend.presence import has

_DEEPEST = 16
_MOST = 50_000
"""Objects looked at: who keeps more in a model keeps no state there."""
_COPIED = 2**28
"""Bytes copied of arrays and parameters, which few models write to; buffers are always copied."""

_NOT_USERS = frozenset(sys.stdlib_module_names) - {"types", "collections"} | {"numpy", "polyattr"}


class KeptState:
    """All that is reachable from some objects, as it is when this is made.

    Args:
        roots: The model, and what else of the user's is called.
        objects: Knows the framework's.
    """

    def __init__(self, roots: Iterable[object], objects: FrameworkObjects) -> None:
        self._objects = objects
        # Not a method of this object, which its keepers would then keep alive in a circle.
        self._part = partial(_is_part, objects)
        self._is_traced = partial(holds_trace, objects)
        self._seen: dict[int, object] = {}
        self._copied = 0
        self._entries: list[tuple[bool, Keeper]] = []
        for root in roots:
            self._walk(root, False, 0)

    def changed(self) -> bool:
        """Says whether anything but generators of random numbers changed."""
        return any(entry.changed() for _, entry in self._entries if not entry.chance)

    def changed_arrays(self, modules_only: bool = False) -> bool:
        """Says whether an array changed, or is where it was not; within modules, or anywhere."""
        return any(
            entry.changed_arrays()
            for owned, entry in self._entries
            if not entry.chance and (owned or not modules_only)
        )

    def drew(self) -> bool:
        """Says whether a generator of random numbers was used."""
        return any(entry.chance and entry.changed() for _, entry in self._entries)

    def put_back(self) -> None:
        """Puts back all that changed, but for generators of random numbers."""
        for _, entry in self._entries:
            if not entry.chance and entry.changed():
                entry.put_back()

    def put_arrays_back(self) -> None:
        """Puts back what changed of the arrays of modules.

        What they count, and what functions keep for themselves such as a list of calls, stays.
        """
        for owned, entry in self._entries:
            if owned and not entry.chance and entry.changed_arrays():
                entry.put(has_array)

    def left_traces(self) -> bool:
        """Says whether a stand-in for a tensor is anywhere that none was."""
        return bool(self._traced())

    def put_traces_back(self) -> None:
        """Puts back what was where stand-ins for tensors are now, within modules or anywhere."""
        for entry in self._traced():
            entry.put(self._is_traced)

    def _traced(self) -> list[Keeper]:
        if not self._objects.traces:
            return []
        return [
            entry for _, entry in self._entries if not entry.chance and entry.holds(self._is_traced)
        ]

    def put_generators_back(self) -> None:
        """Puts generators of random numbers back."""
        for _, entry in self._entries:
            if entry.chance and entry.changed():
                entry.put_back()

    def _walk(self, value: Any, owned: bool, depth: int) -> None:
        plain = value is None or isinstance(value, str | bytes | int | float | complex | type)
        if plain or isinstance(value, types.ModuleType) or id(value) in self._seen:
            return
        if depth > _DEEPEST or len(self._seen) >= _MOST:
            return
        self._seen[id(value)] = value  # kept, so that no other object gets its id
        module = self._objects.is_module(value)
        # A hook that notes what it sees is no state of the module.
        function = isinstance(value, types.FunctionType | types.MethodType)
        owned = module or (owned and not function)
        found = self._keepers(value)
        if found is not None:
            self._entries += [(owned, entry) for entry in found]
            if not module:
                return
        for children, entry in self._parts(value, module):
            if entry is not None:
                self._entries.append((owned, entry))
            for child in children:
                self._walk(child, owned, depth + 1)

    def _keepers(self, value: Any) -> list[Keeper] | None:
        if isinstance(value, np.random.Generator | np.random.RandomState | Random):
            return [containers.generator(value)]
        if self._objects.is_traced(value):  # left by somebody else; its shape may have no numbers
            return []
        size = int(getattr(value, "nbytes", 0) or 0) if has(value, "dtype") else 0
        copies = self._copied + size <= _COPIED
        if isinstance(value, np.ndarray):
            kept = copies and value.flags.writeable and not value.dtype.hasobject
            found: list[Keeper] | None = [containers.array(value)] if kept else []
        else:
            found = self._objects.keepers(value, copies)
        self._copied += size if found else 0
        return found

    def _parts(self, value: Any, module: bool) -> Iterator[Part]:
        kind = type(value)  # a proxy's class is not what it says it is
        if (inside := self._objects.inside(value)) is not None:
            attributes, content = inside
            yield [*attributes.values(), *content], containers.mapping(attributes, self._part)
        elif issubclass(kind, dict):
            yield list(value.values()), containers.mapping(value, self._part)
        elif issubclass(kind, list | deque | set):
            yield list(value), containers.sequence(value)
        elif issubclass(kind, tuple | frozenset):
            yield list(value), None
        elif issubclass(kind, partial):
            yield [value.func, *value.args, *value.keywords.values()], None
        elif issubclass(kind, types.MethodType):
            yield [value.__self__, value.__func__], None
        elif module or self._is_users(value):
            yield from containers.function(value) if kind is types.FunctionType else ()
            yield from containers.slots(value)
            if isinstance(getattr(value, "__dict__", None), dict):
                own = containers.mapping(vars(value), self._part)
                yield list(vars(value).values()), own
            for of in kind.__mro__ if self._objects.traces else ():
                if self._is_library(of.__module__) or id(of) in self._seen:
                    continue
                self._seen[id(of)] = of
                yield list(vars(of).values()), containers.class_attributes(of)
        if callable(value) and has(value, "__wrapped__"):
            yield [value.__wrapped__], None

    def _is_users(self, value: Any) -> bool:
        """Frameworks and Python look after their own objects, such as caches and locks."""
        function = isinstance(value, types.FunctionType)
        return not self._is_library((value if function else type(value)).__module__)

    def _is_library(self, module: object) -> bool:
        library = str(module).partition(".")[0]
        return library in _NOT_USERS or library in self._objects.libraries


def _is_part(objects: FrameworkObjects, value: object) -> bool:
    return objects.is_module(value) or objects.is_parameter(value)
