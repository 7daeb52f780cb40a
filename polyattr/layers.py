"""Naming and reading layers of models that are plain trees of Python objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from polyattr.errors import InputTypeError, LayerNotFoundError, nearest


@dataclass(frozen=True)
class Submodule:
    """One module inside another.

    Attributes:
        name: Dotted path as a user would write it, such as "blocks.2.dense".
        path: Attribute names and keys that lead there.
        module: The object.
        direct: Whether no other module lies between it and the root.
    """

    name: str
    path: tuple[Any, ...]
    module: Any
    direct: bool


def submodules(root: Any, kind: type, containers: tuple[type, ...] = ()) -> list[Submodule]:
    """Lists all modules below `root`, depth first, each once.

    Args:
        root: The model.
        kind: The class of modules.
        containers: Classes that only hold modules, though they may be of that class themselves.
    """
    found: list[Submodule] = []
    seen = {id(root)}

    def visit(value: Any, path: tuple[Any, ...], direct: bool) -> None:
        for key, child in _children(value, kind, containers):
            if id(child) in seen:
                continue
            here = (*path, key)
            is_module = isinstance(child, kind) and not isinstance(child, containers)
            if is_module:
                seen.add(id(child))
                found.append(Submodule(".".join(map(str, here)), here, child, direct))
            visit(child, here, direct and not is_module)

    visit(root, (), True)
    return found


def _children(holder: Any, kind: type, containers: tuple[type, ...]) -> list[tuple[Any, Any]]:
    if isinstance(holder, Mapping) or (isinstance(holder, containers) and hasattr(holder, "items")):
        return list(holder.items())
    sequences: Any = (list, tuple, *containers)
    if isinstance(holder, sequences):
        return list(enumerate(holder))
    return list(vars(holder).items()) if isinstance(holder, kind) else []


def find_submodule(selector: Any, every: list[Submodule]) -> Submodule:
    """Finds a submodule by index among the direct ones, by dotted name, or as the object itself.

    Raises:
        LayerNotFoundError: No such submodule; the nearest names are given.
        InputTypeError: `selector` cannot name one.
    """
    names = [entry.name for entry in every]
    if isinstance(selector, int) and not isinstance(selector, bool):
        direct = [entry for entry in every if entry.direct]
        if -len(direct) <= selector < len(direct):
            return direct[selector]
        raise LayerNotFoundError(
            f"output_layer is {selector}; the model has {len(direct)} direct submodules, expected "
            f"{-len(direct)} to {len(direct) - 1}"
        )
    for entry in every:
        if entry.module is selector or (isinstance(selector, str) and entry.name == selector):
            return entry
    if not isinstance(selector, str) and not callable(selector):
        raise InputTypeError(
            f"output_layer is {selector!r}; expected an index, a submodule's name or the submodule"
        )
    shown = repr(selector) if isinstance(selector, str) else f"of type {type(selector).__name__}"
    raise LayerNotFoundError(
        f"output_layer {shown} is not a submodule of the model.{nearest(selector, names)} Its "
        f"submodules: {', '.join(names[:30])}"
        + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
    )


def follow(root: Any, path: tuple[Any, ...]) -> Any:
    """Walks attribute names and keys from the root."""
    for key in path:
        root = getattr(root, key) if isinstance(key, str) and hasattr(root, key) else root[key]
    return root


def call_until(module: Any, path: tuple[Any, ...] | None, args: Any, kwargs: Any) -> Any:
    """Calls a copy of a model; returns the output of the submodule at `path`, if one is given.

    Raises:
        LayerNotFoundError: The model did not call the submodule.
    """
    if path is None:
        return module(*args, **kwargs)
    outputs: list[Any] = []
    record_calls(follow(module, path), outputs)
    module(*args, **kwargs)
    if not outputs:
        raise LayerNotFoundError("output_layer belongs to the model but was not called")
    return outputs[-1]


def record_calls(module: Any, outputs: list[Any]) -> None:
    """Makes this one object append what it returns to `outputs`, for good: use it on a copy."""
    own: Any = type(module)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        outputs.append(own.__call__(self, *args, **kwargs))
        return outputs[-1]

    # A call looks `__call__` up on the class, so the object gets a class of its own.
    recording = type(own)(own.__name__, (own,), {"__call__": call, "__module__": own.__module__})
    object.__setattr__(module, "__class__", recording)
