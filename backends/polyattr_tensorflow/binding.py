"""What a TensorFlow user brings, as a function: Keras 3, tf_keras, tf.Module, tf.function."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from polyattr.backend import BoundModel
from polyattr.closures import held_objects
from polyattr.errors import UnrecognisedModelError
from polyattr.keras_models import KerasLayers, keras_backend, keras_dtype, keras_entry

_TF_FUNCTION = type(tf.function(lambda: None))


def is_model(candidate: object) -> bool:
    """A tf.function, a tf.Module, or a Keras model that runs on TensorFlow."""
    if keras_backend(candidate) not in {None, "tensorflow"}:
        return False
    return _is_keras(candidate) or isinstance(candidate, _TF_FUNCTION | tf.Module)


def bind(model: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable.
    """
    if _is_keras(model):
        return _BoundKeras(model)
    if not callable(model):
        raise UnrecognisedModelError(
            f"the tensorflow backend was given a {type(model).__name__}; expected a Keras model, "
            f"a callable tf.Module, a tf.function or a function of tensors"
        )
    return _BoundFunction(model)


class _BoundFunction(BoundModel):
    """A function or callable tf.Module; its variables are captured by reference."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, entry=function)
        self.kind = "function" if inspect.isfunction(function) else type(function).__name__
        self._mode = {"training": False} if _takes_training(function) else {}
        self.like = _first_float(getattr(function, "variables", ()))
        self.dtype = None if self.like is None else str(self.like.dtype.name)

    def fingerprint(self) -> tuple[object, ...]:
        """The tensors the function computes with now."""
        return held_objects(self._function)

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function; Python control flow on tensors becomes part of the graph."""
        try:
            return self._function(*args, **kwargs, **self._mode)
        except tf.errors.OperatorNotAllowedInGraphError:
            # Only now, since AutoGraph prints warnings about functions it cannot read.
            return tf.function(self._function)(*args, **kwargs, **self._mode)


class _BoundKeras(KerasLayers):
    """A Keras model; its mode is an argument."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))
        self.dtype = keras_dtype(model)
        self.like = _first_float(model.variables)

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``."""
        return self._function(*args, **kwargs, training=False)


def _first_float(variables: Iterable[Any]) -> Any:
    """Returns a floating tf.Variable, which says where the model lives, or None."""
    plain = (v if isinstance(v, tf.Variable) else v.value for v in variables)
    return next((v for v in plain if v.dtype.is_floating), None)


def _is_keras(candidate: object) -> bool:
    legacy = sys.modules.get("tf_keras")
    is_legacy = legacy is not None and isinstance(candidate, legacy.layers.Layer)
    return is_legacy or keras_backend(candidate) == "tensorflow"


def _takes_training(function: Callable[..., Any]) -> bool:
    try:
        return "training" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
