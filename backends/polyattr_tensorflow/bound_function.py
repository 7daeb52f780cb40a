"""A function of tensors, or a callable tf.Module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from polyattr.backend import BoundModel, held_objects
from polyattr_keras import not_training
from polyattr_tensorflow.variables import floating


class BoundFunction(BoundModel):
    """A function or callable tf.Module; its variables are captured by reference."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, entry=function)
        self.kind = "function" if inspect.isfunction(function) else type(function).__name__
        self._takes_training = _takes_training(function)
        own = floating(getattr(function, "variables", ()))
        held = own or floating(held_objects(function))
        self.like = held[0] if held else None
        names = {str(tensor.dtype.name) for tensor in (own[:1] or held)}
        # What a function merely refers to says which dtype it takes if all of it agrees.
        self.dtype = names.pop() if len(names) == 1 else None

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function; Python control flow on tensors becomes part of the graph."""
        if self._takes_training:
            kwargs = not_training(kwargs)
        try:
            return self._function(*args, **kwargs)
        except tf.errors.OperatorNotAllowedInGraphError:
            # Only now, since AutoGraph prints warnings about functions it cannot read.
            return tf.function(self._function)(*args, **kwargs)


def _takes_training(function: Callable[..., Any]) -> bool:
    try:
        return "training" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
