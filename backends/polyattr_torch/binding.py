"""What a torch user brings, as a function: modules, functions, Keras 3 models on torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch

from polyattr.backend import BoundModel, held_objects
from polyattr.errors import UnrecognisedModelError
from polyattr_keras.models import (
    KerasLayers,
    keras_backend,
    keras_dtype,
    keras_entry,
    not_training,
)
from polyattr_torch.bound_exported import BoundExported, is_exported
from polyattr_torch.bound_module import BoundModule
from polyattr_torch.evaluation import evaluated, own


def is_model(candidate: object) -> bool:
    """A module or exported program; a Keras model only if Keras runs on torch."""
    kinds = (torch.nn.Module, torch.export.ExportedProgram)
    return isinstance(candidate, kinds) and keras_backend(candidate) in {None, "torch"}


def bind(model: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable.
    """
    if keras_backend(model) is not None:
        return _BoundKeras(model)
    if isinstance(model, torch.export.ExportedProgram):
        return BoundExported(model.module())
    if is_exported(model):
        return BoundExported(model)
    if isinstance(model, torch.nn.Module):
        return BoundModule(model)
    if not callable(model):
        raise UnrecognisedModelError(
            f"the torch backend was given a {type(model).__name__}; expected a torch.nn.Module, a "
            f"Keras model on torch, or a function of tensors"
        )
    return _BoundFunction(model)


class _BoundFunction(BoundModel):
    """A function; modules it refers to are evaluated in inference mode."""

    def __init__(self, function: Any) -> None:
        super().__init__(function, entry=function)
        tensors = [t for t in held_objects(function) if isinstance(t, torch.Tensor)]
        floats = [t for t in tensors if t.is_floating_point()]
        if floats:
            self.like, self.dtype = floats[0], str(floats[0].dtype).removeprefix("torch.")

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function."""
        return self._function(*own(args), **own(kwargs))

    def inference(self) -> AbstractContextManager[None]:
        """Does for the modules the function refers to what is done for a module."""
        held = held_objects(self._function, (torch.nn.Module,))
        return evaluated([m for m in held if isinstance(m, torch.nn.Module)])


class _BoundKeras(KerasLayers):
    """A Keras 3 model on torch; its mode is an argument, not a flag."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))
        self.dtype = keras_dtype(model)
        floats = [v.value for v in model.variables]
        self.like = floats[0] if floats else None

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``."""
        return self._function(*own(args), **own(not_training(kwargs)))
