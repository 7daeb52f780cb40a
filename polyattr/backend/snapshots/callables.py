"""Following functions, modules and classes: what their code may read."""

from __future__ import annotations

import builtins
import sys
import types
from collections import deque
from functools import cached_property, partial
from typing import Any

from polyattr.backend.snapshots.guards import MISSING
from polyattr.backend.snapshots.names import CodeNames, is_library, modules_named
from polyattr.backend.snapshots.trail import Namespace, Trail

BUILTIN = (types.BuiltinFunctionType, types.MethodWrapperType)
DESCRIPTORS = (
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_METHODS = (types.FunctionType, staticmethod, classmethod, property, cached_property)
_TOLD_ANEW = frozenset({"time", "secrets", "uuid"})
_READERS = frozenset(
    {
        ("os", "getenv"),
        *(("numpy", name) for name in ("load", "loadtxt", "genfromtxt", "fromfile", "memmap")),
        *(
            (module, "load")
            for module in ("json", "_pickle", "pickle", "torch", "torch.serialization")
        ),
    }
)
# No call reads these of a class; what makes and shows its instances is not run by one either.
_UNREAD = frozenset(
    {
        *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__annotations__"),
        *("__abstractmethods__", "_abc_impl", "__parameters__", "__orig_bases__", "__slots__"),
        *("__static_attributes__", "__firstlineno__", "__annotate__", "__annotate_func__"),
        *("__annotations_cache__", "__match_args__", "__repr__", "__str__", "__reduce__"),
        *("__reduce_ex__", "__getstate__", "__setstate__", "__del__", "__init_subclass__"),
        *("__class_getitem__", "__subclasshook__", "__dir__", "__sizeof__", "__format__"),
    }
)
_MAKING = frozenset({"__init__", "__new__", "__post_init__"})


def follow_function(trail: Trail, function: types.FunctionType) -> list[Any]:
    """Follows closure, defaults and attributes; of the user's code also the globals it reads."""
    known = function.__globals__
    library = is_library(known.get("__name__"))
    # A library's own, also where it is decorated; what decorates a user's has the user's names.
    own = is_library(function.__module__) and "<locals>" not in function.__qualname__
    if library and (own or not (function.__closure__ or vars(function))):
        return trail.one("function", function)
    trail.guards.function(function)
    trail.tokens += ("code", code_token(function.__code__))
    children: list[Any] = [function.__defaults__, function.__kwdefaults__, vars(function)]
    names = None if library else trail.code(function.__code__, known)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if names is None or not _is_added_to(name, names, _content(cell)):
            children += trail.guards.cell(cell)
    return children if names is None else children + _globals(trail, names, known)


def code_token(code: types.CodeType) -> tuple[Any, ...]:
    """Returns what makes code equal to other code, wherever either of them is written."""
    constants = [
        code_token(c) if isinstance(c, types.CodeType) else (type(c), repr(c))
        for c in code.co_consts
    ]
    return (
        *(code.co_code, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        *(code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
        *(getattr(code, "co_exceptiontable", b""), tuple(constants)),
    )


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # still empty
        return None


def _is_added_to(name: str, names: CodeNames, value: Any) -> bool:
    """Says whether a variable only takes things, like a counter or a list of what was called."""
    kinds = (list, set, dict, deque, int, float, types.SimpleNamespace)
    return name in names.written and isinstance(value, kinds) and not isinstance(value, bool)


def _globals(trail: Trail, names: CodeNames, known: dict[str, Any]) -> list[Any]:
    found = []
    for name in names.read:
        if _is_added_to(name, names, known.get(name)):
            continue
        value = trail.guards.lookup(known, name)
        if value is MISSING:
            value = trail.guards.lookup(vars(builtins), name)
        found.append(None if value is MISSING else value)
    for name in modules_named(names, known):
        module = trail.guards.lookup(sys.modules, name)
        found += [] if module is MISSING else [module]
    return found


def follow_builtin(trail: Trail, function: Any) -> list[Any]:
    """Follows what a method of C belongs to."""
    owner = getattr(function, "__self__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        return follow_foreign(trail, function)
    trail.tokens += ("method", function.__name__)
    return [owner]


def follow_module(trail: Trail, module: types.ModuleType) -> list[Any]:
    """Notes a module, of which what reachable code names will be followed."""
    trail.one("module", module)
    if module is sys or module is builtins:
        return []
    library = is_library(module.__name__)
    trail.namespaces.append(Namespace(vars(module), None, library))
    return []


def follow_foreign(trail: Trail, value: Any) -> list[Any]:
    """Notes what was found in a library by its identity, unless its answers change."""
    module, name = getattr(value, "__module__", None), getattr(value, "__name__", None)
    if callable(value) and (module in _TOLD_ANEW or (module, name) in _READERS):
        return trail.doubtful(value, f"{module}.{name} is called")
    if module == "os" and isinstance(getattr(value, "_data", None), dict):
        return [value._data]  # os.environ
    return trail.one("foreign", value)


def follow_class(trail: Trail, kind: type, made: bool) -> list[Any]:
    """Follows a class of the user's: its bases, attributes, and the methods somebody names.

    Args:
        trail: Where to note it.
        kind: The class.
        made: Whether it was met by itself, so that code may make instances.
    """
    if is_library(kind.__module__):
        return trail.one("class", kind)
    trail.tokens += ("class", kind.__qualname__)
    trail.guards.bases(kind)
    table = vars(kind)
    trail.guards.table(kind, table.keys(), table.values())
    children: list[Any] = [*kind.__bases__, type(kind)]
    waiting = {}
    called = {
        name for base in kind.__mro__[:-1] if is_library(base.__module__) for name in vars(base)
    }
    for name, value in table.items():
        if name in _UNREAD or isinstance(value, DESCRIPTORS):
            continue
        special = name.startswith("__") and name.endswith("__")
        if name in _MAKING and not made:
            continue
        if isinstance(value, _METHODS) and not special and name not in called:
            waiting[name] = value
        else:
            trail.tokens.append(name)
            children.append(value)
    trail.namespaces.append(Namespace(table, waiting, library=False))
    return children


def parts_of_callable(value: Any) -> list[Any] | None:
    """Returns what a callable or descriptor is made of, or None where it is none of these."""
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords, getattr(value, "__dict__", None)]
    if isinstance(value, staticmethod | classmethod):
        return [value.__func__]
    if isinstance(value, property):
        return [value.fget]
    if isinstance(value, cached_property):
        return [value.func]
    return None
