"""What a torch user brings, as a function: modules, functions, Keras 3 models on torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from polyattr.backend import BoundModel, UnrecognisedModelError
from polyattr_keras import keras_backend
from polyattr_torch.bound_exported import BoundExported, is_exported
from polyattr_torch.bound_function import BoundFunction
from polyattr_torch.bound_keras import BoundKeras
from polyattr_torch.bound_module import BoundModule


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
        return BoundKeras(model)
    if isinstance(model, torch.export.ExportedProgram):
        return BoundExported(model.module())
    if is_exported(model):
        return BoundExported(model)
    if isinstance(model, torch.nn.Module):
        return BoundModule(model)
    if isinstance(model, Mapping) and not callable(model):
        raise UnrecognisedModelError(
            f"the torch backend was given a {type(model).__name__} with keys "
            f"{', '.join(map(repr, list(model)[:3]))}, ...: weights without a model; expected the "
            f"module they belong to, after module.load_state_dict(weights)"
        )
    if not callable(model):
        raise UnrecognisedModelError(
            f"the torch backend was given a {type(model).__name__}; expected a torch.nn.Module, a "
            f"Keras model on torch, or a function of tensors"
        )
    return BoundFunction(model)
