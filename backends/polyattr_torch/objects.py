"""Which objects of PyTorch a call can change, and how they are put back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from torch import nn

from polyattr.backend import FrameworkObjects, Keeper, ModelOutputError
from polyattr_keras import LIBRARIES, is_built_layer, is_variable, keras_backend, keras_keepers


class TorchObjects(FrameworkObjects):
    """Modules, tensors, generators."""

    libraries = frozenset({"torch", "functorch"}) | LIBRARIES

    def is_module(self, value: object) -> bool:
        """A module, but for one whose parameters are made by its first call."""
        if keras_backend(value) is not None:
            return is_built_layer(value)
        return isinstance(value, nn.Module) and not _is_lazy(value)

    def is_parameter(self, value: object) -> bool:
        """A parameter."""
        return isinstance(value, nn.Parameter) or is_variable(value)

    def keepers(self, value: object, copies: bool) -> list[Keeper] | None:
        """Keeps tensors by value; parameters without `copies` by the count of their changes."""
        if (kept := keras_keepers(value, lambda: True)) is not None:
            return kept
        if isinstance(value, torch.jit.ScriptModule):
            return [_attribute(m, name) for m in value.modules() for name in _names(m)]
        if isinstance(value, nn.Module):
            return None if self.is_module(value) else []
        if isinstance(value, torch.Generator):
            state = value.get_state()
            return [
                Keeper(
                    lambda: not torch.equal(value.get_state(), state),
                    lambda: value.set_state(state),
                    chance=True,
                )
            ]
        if not isinstance(value, torch.Tensor):
            return None
        if value.is_meta or nn.parameter.is_lazy(value) or value.layout is not torch.strided:
            return []
        if isinstance(value, nn.Parameter) and not copies:
            return [] if value.is_inference() else [_counted(value)]
        return [_copied(value)]


def _is_lazy(module: nn.Module) -> bool:
    has = getattr(module, "has_uninitialized_params", None)
    return has is not None and bool(has())


def _copied(tensor: torch.Tensor) -> Keeper:
    saved = tensor.detach().clone()

    def put_back() -> None:
        with torch.inference_mode(tensor.is_inference()), torch.no_grad():
            if tensor.shape == saved.shape:
                tensor.copy_(saved)
            else:
                tensor.data = saved.clone()

    # A parameter of whole numbers is what Keras keeps the seeds of its layers in.
    seeds = isinstance(tensor, nn.Parameter) and not tensor.is_floating_point()
    return Keeper(lambda: not _equal(tensor.detach(), saved), put_back, chance=seeds)


def _equal(now: torch.Tensor, saved: torch.Tensor) -> bool:
    if now.shape != saved.shape or now.device != saved.device:
        return False
    return torch.equal(now, saved) or bool(
        ((now == saved) | ((now != now) & (saved != saved))).all()
    )


def _counted(parameter: torch.Tensor) -> Keeper:
    version = parameter._version

    def put_back() -> None:
        raise ModelOutputError(
            f"a call of the model changes a parameter of shape {tuple(parameter.shape)} in place, "
            f"which is too large to be kept; expected parameters that calls leave as they are"
        )

    return Keeper(lambda: parameter._version != version, put_back)


def _names(module: Any) -> list[str]:
    """Names what a TorchScript module holds; a frozen one has no more than its buffers."""
    kind = getattr(module, "_concrete_type", None)
    buffers = dict(module.named_buffers(recurse=False))
    return list(buffers) if kind is None else list(kind.get_attributes())


def _attribute(module: Any, name: str) -> Keeper:
    """Keeps an attribute of a TorchScript module, of which Python sees copies."""
    saved = deepcopy(_plain(getattr(module, name)))

    def put_back() -> None:
        setattr(module, name, deepcopy(saved))

    return Keeper(
        lambda: not _same(_plain(getattr(module, name)), saved),
        put_back,
        news=lambda: [getattr(module, name)],
    )


def _plain(value: Any) -> Any:
    return value.detach() if isinstance(value, torch.Tensor) else value


def _same(now: Any, saved: Any) -> bool:
    if isinstance(now, torch.Tensor) and isinstance(saved, torch.Tensor):
        return _equal(now, saved)
    if isinstance(now, list | tuple) and isinstance(saved, list | tuple):
        return len(now) == len(saved) and all(map(_same, now, saved))
    if isinstance(now, dict) and isinstance(saved, dict):
        return now.keys() == saved.keys() and all(_same(now[k], saved[k]) for k in now)
    return type(now) is type(saved) and bool(now == saved)
