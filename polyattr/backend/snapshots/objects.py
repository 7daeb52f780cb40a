"""Following objects: attributes, slots, containers, and what C keeps."""

from __future__ import annotations

import gc
import io
import logging
import pathlib
import types
import weakref
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import numpy as np

from polyattr.backend.snapshots.content import Content
from polyattr.backend.snapshots.names import is_library
from polyattr.backend.snapshots.trail import Trail

PLAIN = frozenset({type(None), bool, int, str, bytes, type(Ellipsis), type(NotImplemented), range})
_ROWS = (tuple, list, set, frozenset, deque)
_ITERATION = frozenset(kind.__iter__ for kind in _ROWS)
_HIDDEN = (np.random.Generator, np.random.BitGenerator, np.random.RandomState, io.IOBase)
_LEAVES = (logging.Logger, logging.LoggerAdapter, logging.Handler, types.CodeType, np.ufunc)
_FRAMEWORKS = frozenset({"jax", "jaxlib", "tensorflow", "torch"})
_RUNNING = (Iterator, types.CoroutineType, types.FrameType, types.AsyncGeneratorType)


def plain_token(value: Any) -> Any:
    """Returns something that is equal for equal numbers: NaN, and not 0.0 for -0.0."""
    if isinstance(value, float | complex) and (
        value != value or not value or type(value) is complex
    ):
        return repr(value)
    return value


def follow_rows(trail: Trail, value: Any) -> list[Any]:
    """Follows a list, tuple, set or deque of Python's own."""
    held = tuple(value)
    trail.tokens += (type(value), len(held))
    if not isinstance(value, tuple | frozenset):
        if held:
            trail.guards.sequences.append((value, held))
        else:
            trail.guards.empty.append(value)
    kinds = set(map(type, held))
    if len(kinds) == 1 and len(held) > 8:
        (kind,) = kinds
        if kind in PLAIN:
            trail.tokens += (kind, held)
            return []
        if kind is float:
            trail.tokens += (kind, np.array(held).tobytes())
            return []
    return list(held)


def follow_dict(
    trail: Trail, value: dict[Any, Any], unread: frozenset[str] = frozenset()
) -> list[Any]:
    """Follows keys and values, in order."""
    trail.tokens += (type(value), len(value))
    if not value and type(value) in {dict, defaultdict, OrderedDict}:
        trail.guards.empty.append(value)
        return []
    ordered = isinstance(value, OrderedDict)
    keys = value.keys() if ordered else dict.keys(value)
    values = value.values() if ordered else dict.values(value)
    held = trail.guards.table(value, keys, values)
    return [
        x for pair in zip(keys, held, strict=True) for x in pair if not _is_unread(pair, unread)
    ]


def _is_unread(pair: tuple[Any, Any], unread: frozenset[str]) -> bool:
    return bool(unread) and isinstance(pair[0], str) and pair[0] in unread


def follow_array(trail: Trail, array: np.ndarray[Any, Any]) -> list[Any]:
    """Takes an array by its content; one of objects is followed."""
    trail.tokens += (type(array), array.shape, str(array.dtype))
    extra = [] if type(array) is np.ndarray else [getattr(array, "__dict__", None)]
    if array.dtype.hasobject:
        return [*trail.guards.read(_elements, array), *extra]
    content = Content(array)
    trail.guards.contents.append(content)
    trail.tokens.append(content)
    return extra


def _elements(array: np.ndarray[Any, Any]) -> list[Any]:
    return array.reshape(-1).tolist()


def follow_special(trail: Trail, value: Any) -> list[Any] | None:
    """Follows objects with a way of their own, or returns None."""
    if isinstance(value, np.generic):
        trail.tokens += (type(value), str(value.dtype), value.tobytes())
        return []
    if isinstance(value, _LEAVES):
        return trail.one("leaf", value)
    if isinstance(value, pathlib.PurePath):
        trail.tokens += (type(value), str(value))
        return []
    if isinstance(value, types.CellType):
        trail.tokens.append("cell")
        return list(trail.guards.cell(value))
    if isinstance(value, weakref.ReferenceType):
        trail.tokens.append("reference")
        return list(trail.guards.read(_referent, value))
    if isinstance(value, ContextVar):
        trail.tokens.append("context")
        return list(trail.guards.read(_current, value))
    if isinstance(value, np.lib.npyio.NpzFile):
        return _follow_file(trail, value)
    if isinstance(value, bytearray | memoryview):
        return _follow_buffer(trail, value)
    if _is_foreign_tensor(value):
        return _follow_tensor(trail, value)
    hidden = any(kind.__module__ == "_random" for kind in type(value).__mro__)
    if hidden or isinstance(value, (*_HIDDEN, *_RUNNING)):
        return trail.doubtful(value, f"{_named(value)} has a state that cannot be seen")
    return None


def _referent(reference: Any) -> tuple[Any, ...]:
    return (reference(),)


def _current(variable: ContextVar[Any]) -> tuple[Any, ...]:
    return (variable.get(None),)


def _follow_file(trail: Trail, value: Any) -> list[Any]:
    """Takes arrays read lazily from a file by the file: they are new objects at every look."""
    try:
        trail.guards.file(value.zip.fp.fileno())
    except Exception:  # closed, or a file in memory
        return trail.doubtful(value, "an NpzFile of a file that cannot be asked")
    trail.tokens.append(trail.guards.files[-1][1])
    return trail.one("file", value)


def _follow_buffer(trail: Trail, value: Any) -> list[Any]:
    try:
        content = Content(value)
    except (TypeError, ValueError, BufferError):
        return trail.doubtful(value, f"{_named(value)} cannot be read")
    trail.guards.contents.append(content)
    trail.tokens += (type(value), content)
    return []


def _is_foreign_tensor(value: Any) -> bool:
    """Says whether a value is a tensor of another framework than the one that computes."""
    root = type(value).__module__.partition(".")[0]
    return root in _FRAMEWORKS and hasattr(type(value), "__array__")


def _follow_tensor(trail: Trail, value: Any) -> list[Any]:
    """Takes a tensor by its content, where NumPy can look at its memory."""
    try:
        array = np.asarray(value)
    except Exception:  # on another device, or with a gradient
        array = None
    if array is None or array.base is None:
        return trail.doubtful(value, f"{_named(value)} of another framework")
    trail.tokens.append(type(value))
    return follow_array(trail, array)


def follow_instance(trail: Trail, value: Any, unread: frozenset[str]) -> list[Any]:
    """Follows an object: its class, its attributes and slots, and what it contains."""
    kind = type(value)
    wrapped = getattr(value, "__wrapped__", None) if is_library(kind.__module__) else None
    if wrapped is not None:  # a compiled function: beside it, it only has caches
        trail.tokens += ("wrapped", kind)
        return [wrapped]
    trail.guards.instance(value)
    trail.tokens.append("instance")
    children: list[Any] = [kind]
    known = len(children)
    table = getattr(value, "__dict__", None)
    if type(table) is dict:
        trail.guards.attribute_table(value, table)
        children += follow_dict(trail, table, unread)
        known = 0
    slots = _slots(kind)
    if slots:
        children += trail.guards.read(_Slots(slots), value)
        known = 0
    if isinstance(value, dict):
        return children + follow_dict(trail, value)
    if isinstance(value, _ROWS) and kind.__iter__ in _ITERATION:
        return children + follow_rows(trail, value)
    if isinstance(value, _ROWS):
        return [*children, *trail.guards.read(gc.get_referents, value)]
    if known or _has_more(kind):
        return children + _follow_opaque(trail, value)
    return children


class _Slots:
    """Reads the slots of an object, whichever are filled."""

    def __init__(self, names: list[Any]) -> None:
        self._slots = names

    def __call__(self, value: Any) -> list[Any]:
        return [_slot(slot, value) for slot in self._slots]


def _slot(slot: Any, value: Any) -> Any:
    try:
        return slot.__get__(value)
    except AttributeError:
        return None


def _slots(kind: type) -> list[Any]:
    found = [(base, vars(base).get("__slots__")) for base in kind.__mro__]
    return [
        member
        for base, names in found
        if names is not None
        for member in vars(base).values()
        if isinstance(member, types.MemberDescriptorType)
    ]


def _has_more(kind: type) -> bool:
    """Says whether a class has a base written in C that may keep something of its own."""
    return any(base is not object and not base.__flags__ & _HEAP for base in kind.__mro__)


_HEAP = 1 << 9
"""CPython's flag of classes made by a class statement, or by newer extensions."""


def _follow_opaque(trail: Trail, value: Any) -> list[Any]:
    """Follows an object of C by what the garbage collector knows of it."""
    kind = type(value)
    inside = [x for x in gc.get_referents(value) if x is not kind]
    if inside and type(getattr(value, "__dict__", None)) is not dict:
        return list(trail.guards.read(gc.get_referents, value))
    if _has_buffer(value):
        return _follow_buffer(trail, value)
    if is_library(kind.__module__) or kind is object:
        return trail.one("object", value)
    if _compares_by_value(kind):
        trail.tokens += (kind, value)
        return []
    return trail.doubtful(value, f"{_named(value)} has a state that cannot be seen")


def _has_buffer(value: Any) -> bool:
    """Says whether memory of an object can be looked at, as that of arrays of C."""
    try:
        memoryview(value).release()
    except TypeError:
        return False
    return True


def _compares_by_value(kind: Any) -> bool:
    return kind.__hash__ not in {None, object.__hash__} and kind.__eq__ is not object.__eq__


def _named(value: Any) -> str:
    return f"a {type(value).__module__}.{type(value).__qualname__}"
