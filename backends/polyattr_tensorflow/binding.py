"""What a TensorFlow user brings, as a function: Keras, tf.Module, tf.function, a SavedModel."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from polyattr.backend import BoundModel, held_objects
from polyattr.errors import UnrecognisedModelError
from polyattr_keras.models import keras_backend, not_training
from polyattr_tensorflow.bound_keras import GRAPH_FUNCTION, BoundKeras, is_keras
from polyattr_tensorflow.bound_saved import bind_saved, bind_signed, input_signature, is_saved
from polyattr_tensorflow.variables import floating


def is_model(candidate: object) -> bool:
    """A tf.function, a tf.Module, a SavedModel, or a Keras model that runs on TensorFlow."""
    if keras_backend(candidate) not in {None, "tensorflow"}:
        return False
    plain = isinstance(candidate, GRAPH_FUNCTION | tf.Module)
    return is_keras(candidate) or plain or is_saved(candidate)


def bind(model: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable.
    """
    if is_keras(model):
        return BoundKeras(model)
    if is_saved(model):
        return bind_saved(model)
    if (signed := input_signature(model)) is not None:
        return bind_signed(model, signed)
    if not callable(model):
        raise UnrecognisedModelError(
            f"the tensorflow backend was given a {type(model).__name__}; expected a Keras model, "
            f"a callable tf.Module, a tf.function, a SavedModel or a function of tensors"
        )
    return _BoundFunction(model)


class _BoundFunction(BoundModel):
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

    def fingerprint(self) -> tuple[object, ...]:
        """The tensors the function computes with now."""
        return held_objects(self._function)

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
