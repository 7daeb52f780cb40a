"""Finding a layer of a module as a user names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

# `torch.jit` has it too, but does not list it among its names.
from torch.jit._script import RecursiveScriptModule

from polyattr.backend import InputTypeError, Layer, LayerNotFoundError, nearest

_WRAPPER = "_orig_mod"


def original(module: Any) -> Any:
    """Returns the module that torch.compile wrapped, or the module itself."""
    while _WRAPPER in getattr(module, "_modules", {}):
        module = getattr(module, _WRAPPER)
    return module


def find_layer(model: nn.Module, selector: Any, argument: str) -> Layer:
    """Finds a submodule by index among the children, by dotted name or as the object.

    Compiled modules count as what they were made from.

    Raises:
        LayerNotFoundError: No such submodule, or one that runs without being called.
        InputTypeError: `selector` cannot name one.
    """
    root = original(model)
    # A module shared under several names has all of them.
    every = root.named_modules(remove_duplicate=False)
    named = {_plain(name): original(module) for name, module in every}
    layer = _select(root, named, original(selector), argument)
    _check_called(named, layer, argument)
    return layer


def _plain(name: str) -> str:
    return ".".join(part for part in name.split(".") if part != _WRAPPER)


def _select(root: nn.Module, named: Mapping[str, nn.Module], selector: Any, argument: str) -> Layer:
    if isinstance(selector, nn.Module):
        for name, found in named.items():
            if found is selector:
                return Layer(name or type(root).__name__, selector)
        raise LayerNotFoundError(
            f"{argument} is a {type(selector).__name__} that is not part of the model; expected "
            f"one of its submodules: {_listed(named)}"
        )
    if isinstance(selector, int) and not isinstance(selector, bool):
        children = [(name, original(child)) for name, child in root.named_children()]
        if -len(children) <= selector < len(children):
            return Layer(*children[selector])
        raise LayerNotFoundError(
            f"{argument} is {selector}; the model has {len(children)} children, expected "
            f"{-len(children)} to {len(children) - 1}"
        )
    if not isinstance(selector, str):
        raise InputTypeError(
            f"{argument} is {selector!r}; expected an index, a submodule's name or the submodule"
        )
    name = _plain(selector)
    if not name or name not in named:
        raise LayerNotFoundError(
            f"{argument} {selector!r} is not a submodule of the model."
            f"{nearest(selector, filter(None, named))} Its submodules: {_listed(named)}"
        )
    return Layer(name, named[name])


def _check_called(named: Mapping[str, nn.Module], layer: Layer, argument: str) -> None:
    """Refuses what TorchScript runs: it neither calls its parts from Python nor takes hooks."""
    scripted = [m for m in named.values() if isinstance(m, torch.jit.ScriptModule)]
    inside = {id(part) for m in scripted for part in m.modules() if part is not m}
    if id(layer.place) in inside or isinstance(layer.place, RecursiveScriptModule):
        raise LayerNotFoundError(
            f"{argument} {layer.name!r} is or lies inside a TorchScript module, which cannot be "
            f"looked into; expected a layer outside of it: pass the module the script was made "
            f"from, or wrap the scripted part in torch.nn.Sequential and name that"
        )


def _listed(named: Mapping[str, nn.Module]) -> str:
    names = [name for name in named if name]
    return ", ".join(names[:30]) + (f", ... ({len(names)} in all)" if len(names) > 30 else "")
