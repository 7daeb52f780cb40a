"""What the code of functions names: globals, modules, attributes."""

from __future__ import annotations

import builtins
import dis
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Their code is not the user's: not followed into what it names. What they hold is.
_LIBRARIES = frozenset(
    {
        *sys.stdlib_module_names,
        *("jax", "jaxlib", "flax", "haiku", "equinox", "optax", "jaxtyping", "chex", "ml_dtypes"),
        *("numpy", "scipy", "tensorflow", "keras", "tf_keras", "torch", "torchvision"),
        *("lightning", "lightning_fabric", "pytorch_lightning", "torchmetrics", "transformers"),
        *("autograd", "absl", "pluggy", "_pytest", "pytest", "hypothesis"),
        *("polyattr", "polyattr_jax", "polyattr_keras", "polyattr_tensorflow", "polyattr_torch"),
    }
)
_BUILTINS_UNSEEN = frozenset({"globals", "eval", "exec", "vars", "__import__", "open", "input"})
_ATTRIBUTES_UNSEEN = frozenset(
    {"import_module", "read_text", "read_bytes", "_getframe", "now", "today", "utcnow"}
)
_ANY_ATTRIBUTE = frozenset(
    {"getattr", "attrgetter", "methodcaller", "__dict__", "__getattribute__", "getattr_static"}
)
_GLOBAL, _IMPORT = frozenset({"LOAD_GLOBAL", "LOAD_NAME"}), "IMPORT_NAME"
_LOADS = _GLOBAL | {"LOAD_DEREF", "LOAD_CLASSDEREF"}
_ADDING = frozenset({"append", "extend", "appendleft", "add"})
_METHOD, _CONSTANT = {"LOAD_METHOD", "LOAD_ATTR"}, {"LOAD_CONST", "LOAD_SMALL_INT"}
_STORES = {"STORE_GLOBAL", "STORE_DEREF", "STORE_NAME"}
_ADD, _SWAP, _ITEM = {"BINARY_OP"}, {"SWAP"}, {"BINARY_SUBSCR", "BINARY_OP"}
# ``n += 1``, ``counts["n"] += 1`` and ``counter.n += 1``: what is read goes back to its place.
_COUNTING = (
    (_CONSTANT, _ADD, _STORES),
    (_CONSTANT, {"COPY"}, {"COPY"}, _ITEM, _CONSTANT, _ADD, _SWAP, _SWAP, {"STORE_SUBSCR"}),
    ({"COPY"}, {"LOAD_ATTR"}, _CONSTANT, _ADD, _SWAP, {"STORE_ATTR"}),
)


def is_library(module: object) -> bool:
    """Says whether a module, by name, belongs to a library that nobody edits between two calls."""
    return isinstance(module, str) and module.partition(".")[0] in _LIBRARIES


@dataclass
class CodeNames:
    """The names in a piece of code and in all code nested in it.

    Attributes:
        read: Global names it reads.
        imported: Modules it imports.
        every: All names, attributes included.
        written: Variables, global or of a closure, that are only added to or counted up: what is
            in them reaches nothing else.
    """

    read: dict[str, None] = field(default_factory=dict)
    imported: dict[str, None] = field(default_factory=dict)
    every: dict[str, None] = field(default_factory=dict)
    written: frozenset[str] = frozenset()

    @classmethod
    def of(cls, code: types.CodeType) -> CodeNames:
        """Reads them off the code's operations."""
        names = cls()
        loads: dict[str, bool] = {}
        for part in _codes(code):
            names.every.update(dict.fromkeys(part.co_names))
            steps = list(dis.get_instructions(part)) if part.co_names else []
            for place, step in enumerate(steps):
                if step.opname in _LOADS:
                    written = _only_writes(step.argval, steps[place + 1 : place + 10])
                    loads[step.argval] = loads.get(step.argval, True) and written
                if step.opname in _GLOBAL:
                    names.read[step.argval] = None
                elif step.opname == _IMPORT:
                    names.imported[step.argval] = None
        names.written = frozenset(name for name, written in loads.items() if written)
        return names

    def unseen(self, known: dict[str, Any]) -> str | None:
        """Names what the code calls whose outcome nothing tells; `known` are its globals."""
        for name in self.read:
            if name in _BUILTINS_UNSEEN and known.get(name, getattr(builtins, name)) is getattr(
                builtins, name
            ):
                return name
        if "modules" in self.every and any(known.get(name) is sys for name in self.read):
            return "sys.modules"
        return next((name for name in self.every if name in _ATTRIBUTES_UNSEEN), None)

    @property
    def any_attribute(self) -> bool:
        """Whether attributes may be read whose names the code does not show."""
        return not _ANY_ATTRIBUTE.isdisjoint(self.every)


def _only_writes(name: str, steps: list[dis.Instruction]) -> bool:
    """Says whether what follows a load of a variable only adds to it."""
    if steps and steps[0].opname in _METHOD and steps[0].argval in _ADDING:
        return True
    names = [step.opname for step in steps]
    for kinds in _COUNTING:
        if len(names) >= len(kinds) and all(n in k for n, k in zip(names, kinds, strict=False)):
            return kinds[-1] is not _STORES or steps[len(kinds) - 1].argval == name
    return False


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)


def modules_named(names: CodeNames, known: dict[str, Any]) -> Iterator[str]:
    """Yields every name under which an import of the code may find a module."""
    package = known.get("__package__") or ""
    for name in names.imported:
        parts = name.split(".")
        yield from (".".join(parts[: i + 1]) for i in range(len(parts)) if name)
        above = package.split(".") if package else []
        for depth in range(len(above), 0, -1):  # relative imports do not say how far up they look
            yield ".".join([*above[:depth], name] if name else above[:depth])
