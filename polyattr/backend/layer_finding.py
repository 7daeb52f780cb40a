"""Naming and reading layers of models that are plain trees of Python objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from polyattr.backend.bound_model import Layer, Visits
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


def find_submodule(selector: Any, every: list[Submodule], argument: str) -> Layer:
    """Finds a submodule by index among the direct ones, by dotted name, or as the object itself.

    Args:
        selector: As the user wrote it.
        every: All submodules.
        argument: Which argument of the user's it is, for messages.

    Returns:
        The layer; its place is the path of attribute names and keys.

    Raises:
        LayerNotFoundError: No such submodule; the nearest names are given.
        InputTypeError: `selector` cannot name one.
    """
    names = [entry.name for entry in every]
    if isinstance(selector, int) and not isinstance(selector, bool):
        direct = [entry for entry in every if entry.direct]
        if -len(direct) <= selector < len(direct):
            return Layer(direct[selector].name, direct[selector].path)
        raise LayerNotFoundError(
            f"{argument} is {selector}; the model has {len(direct)} direct submodules"
            + (f", expected {-len(direct)} to {len(direct) - 1}" if direct else ", none to name")
        )
    for entry in every:
        if entry.module is selector or (isinstance(selector, str) and entry.name == selector):
            return Layer(entry.name, entry.path)
    if not isinstance(selector, str) and not callable(selector):
        raise InputTypeError(
            f"{argument} is {selector!r}; expected an index, a submodule's name or the submodule"
        )
    shown = repr(selector) if isinstance(selector, str) else f"of type {type(selector).__name__}"
    raise LayerNotFoundError(
        f"{argument} {shown} is not a submodule of the model.{nearest(selector, names)} Its "
        f"submodules: {', '.join(names[:30])}"
        + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
    )


def find_named(selector: Any, names: Sequence[str], argument: str, kind: str) -> str:
    """Finds a layer by name, in a model whose layers are made anew by every call.

    Args:
        selector: As the user wrote it.
        names: The names of all layers.
        argument: Which argument of the user's it is, for messages.
        kind: What messages call the model.

    Raises:
        LayerNotFoundError: No such layer; the nearest names are given.
        InputTypeError: `selector` is no name.
    """
    if isinstance(selector, str) and selector in names:
        return selector
    listed = f"Its layers with parameters: {', '.join(names[:30])}" + (
        f", ... ({len(names)} in all)" if len(names) > 30 else ""
    )
    if not isinstance(selector, str):
        raise InputTypeError(
            f"{argument} is {selector!r}; expected a name: the layers of a {kind} have no order, "
            f"and are made anew by every call. {listed}"
        )
    raise LayerNotFoundError(
        f"{argument} {selector!r} is not a layer with parameters of the {kind}."
        f"{nearest(selector, names)} {listed}"
    )


def follow(root: Any, path: tuple[Any, ...]) -> Any:
    """Walks attribute names and keys from the root."""
    for key in path:
        root = getattr(root, key) if isinstance(key, str) and hasattr(root, key) else root[key]
    return root


def call_tapped(module: Any, visits: Visits, args: Any, kwargs: Any) -> Any:
    """Calls a copy of a model, whose tapped submodules are changed for good.

    Args:
        module: The copy.
        visits: Told of every call of a tapped submodule; the places of the layers are paths.
        args: Positional arguments.
        kwargs: Keyword arguments.

    Returns:
        What the model returns.
    """
    # The classes made here outlive the run where a framework lists every class there is; emptied,
    # they hold neither the run's tensors nor the user's model.
    running = [visits]
    for number, tap in enumerate(visits.taps):
        _record(follow(module, tap.layer.place), running, number)
    try:
        return module(*args, **kwargs)
    finally:
        running.clear()


def _record(module: Any, running: list[Visits], number: int) -> None:
    own: Any = type(module)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not running:
            return own.__call__(self, *args, **kwargs)
        return running[0].call(number, partial(own.__call__, self), args, kwargs)

    # A call looks `__call__` up on the class, so the object gets a class of its own.
    recording = type(own)(own.__name__, (own,), {"__call__": call, "__module__": own.__module__})
    object.__setattr__(module, "__class__", recording)
