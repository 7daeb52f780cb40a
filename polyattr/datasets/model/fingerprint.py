"""What a model and settings are known by: a digest of all numbers and code they are made of.

The same in every process and for every copy of the same model; another one as soon as a weight, a
setting or the code of a function differs. No framework is imported: tensors are what turns into
an array.
"""

from __future__ import annotations

import hashlib
import sys
import types
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np

from polyattr.backend.snapshots.names import is_library

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), np.generic)
_MOST = 2_000_000
"""Objects that are looked at: what has more is told apart by these."""


def fingerprint(value: object) -> str:
    """Returns 16 hexadecimal digits for a value of any kind, models included."""
    walk = _Walk()
    walk.take(value)
    return walk.hash.hexdigest()[:16]


class _Walk:
    """Feeds everything a value is made of to a hash, in an order of its own."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._kept: list[object] = []  # what is looked at stays alive: an id is its own

    def take(self, root: object) -> None:
        stack = [root]
        while stack and len(self._seen) < _MOST:
            value = stack.pop()
            if isinstance(value, PLAIN):
                self._say(type(value).__name__, repr(value))
            elif id(value) in self._seen:
                self._say("again", self._seen[id(value)])
            else:
                self._seen[id(value)] = len(self._seen)
                self._kept.append(value)
                stack.extend(reversed(list(self._parts(value))))

    def _say(self, *words: object) -> None:
        self.hash.update("\0".join(map(str, (*words, ""))).encode())

    def _parts(self, value: Any) -> Iterable[object]:
        array = _array(value)
        if array is not None and array.dtype.hasobject:
            return array.reshape(-1).tolist()
        if array is not None:
            self._say("array", array.dtype.str, array.shape)
            self.hash.update(np.ascontiguousarray(array).data if array.size else b"")
            return ()
        self._say(_kind(value))
        if isinstance(value, types.ModuleType):
            self._say(value.__name__)
            return ()
        if isinstance(value, type | types.FunctionType):
            self._say(value.__qualname__)
            return () if is_library(value.__module__) else _of_code(value)
        if isinstance(value, types.CodeType):
            self._say(value.co_code.hex(), value.co_names)
            return value.co_consts
        return _of_object(value)


def _kind(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}"


def _array(value: Any) -> np.ndarray[Any, Any] | None:
    """The numbers of an array of NumPy, or of a tensor of any framework, wherever it is."""
    if isinstance(value, np.ndarray):
        return value
    try:
        if isinstance(value, type) or not (hasattr(value, "shape") and hasattr(value, "dtype")):
            return None
        if hasattr(value, "detach"):  # of PyTorch: bfloat16 widens without a loss
            value = value.detach().cpu()
            if "bfloat16" in str(value.dtype):
                value = value.float()
        if not hasattr(value, "__array__"):
            return None
        array = np.asarray(value)
    except Exception:  # an object of any author
        return None
    # Dtypes NumPy has no name for are told by their bytes.
    return array.view(f"V{array.dtype.itemsize}") if array.dtype.kind == "V" else array


def _of_code(value: Any) -> Iterable[object]:
    """The code of a user's function or class, and what it was given along or finds by name."""
    if isinstance(value, type):
        own = vars(value)
        functions = [getattr(own[n], "__func__", own[n]) for n in sorted(own)]
        return [*value.__bases__, *(f for f in functions if isinstance(f, types.FunctionType))]
    cells = []
    for cell in value.__closure__ or ():
        try:
            cells.append(cell.cell_contents)
        except ValueError:  # still empty
            cells.append(None)
    named = [value.__globals__.get(name) for name in _names(value.__code__)]
    beside = [held for held in named if not _is_of_python(held)]
    return [value.__code__, value.__defaults__, value.__kwdefaults__, *cells, *beside]


def _names(code: types.CodeType) -> list[str]:
    nested = [_names(held) for held in code.co_consts if isinstance(held, types.CodeType)]
    return [*code.co_names, *(name for names in nested for name in names)]


def _is_of_python(held: object) -> bool:
    """Says whether something a function finds by name is a module, or Python's own machinery."""
    if held is None or isinstance(held, types.ModuleType):
        return True
    root = type(held).__module__.partition(".")[0]
    return root in sys.stdlib_module_names and root not in ("builtins", "collections", "functools")


def _of_object(value: Any) -> Iterable[object]:
    if isinstance(value, partial):
        return [value.func, value.args, value.keywords]
    if isinstance(value, types.MethodType):
        return [value.__func__, value.__self__]
    wrapped = getattr(value, "__wrapped__", None)
    if wrapped is not None:  # a compiled function: beside it, it only has caches
        return [wrapped]
    if isinstance(value, Mapping):
        return [part for key in _sorted(value) for part in (key, value[key])]
    if isinstance(value, set | frozenset):
        return _sorted(value)
    if isinstance(value, list | tuple):
        return [len(value), *value]
    for read in (_of_torch, _of_keras, _of_fields):
        found = read(value)
        if found is not None:
            return found
    return ()


def _of_torch(value: Any) -> list[object] | None:
    """Weights and buffers by name, and plain attributes of all modules: those choose what is done.

    Modes, hooks and gradients are left out.
    """
    if not (hasattr(value, "state_dict") and hasattr(value, "named_modules")):
        return None
    plain = []
    for name, module in value.named_modules():
        own = {k: v for k, v in vars(module).items() if k != "training" and k[0] != "_"}
        settings = {k: v for k, v in own.items() if isinstance(v, (*PLAIN, list, tuple))}
        code = None if is_library(type(module).__module__) else type(module)
        plain.append((name, _kind(module), code, settings))
    return [dict(value.state_dict()), plain]


def _of_keras(value: Any) -> list[object] | None:
    """Weights in order, without their names, which count the layers made before in the process."""
    root = type(value).__mro__[-2].__module__ if len(type(value).__mro__) > 1 else ""
    known = {kind.__module__.partition(".")[0] for kind in type(value).__mro__} | {root}
    if not known & {"keras", "tf_keras", "tensorflow"} or not hasattr(value, "variables"):
        return None
    try:
        held = [np.asarray(variable) for variable in value.variables]
    except Exception:
        return None
    return [held, [_kind(layer) for layer in getattr(value, "layers", ())]]


def _of_fields(value: Any) -> list[object] | None:
    """Attributes and slots by name; what begins with two underscores is no part of the question."""
    held = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = vars(kind).get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name):
                held[name] = getattr(value, name)
    names = [name for name in _sorted(held) if not str(name).startswith("__")]
    code = [] if is_library(type(value).__module__) else [type(value)]
    return [*code, *(part for name in names for part in (name, held[name]))] or None


def _sorted(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=lambda value: (type(value).__name__, repr(value)))
