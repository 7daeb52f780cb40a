"""What a TensorFlow user brings, as a function: Keras, tf.Module, tf.function, a SavedModel."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from polyattr.backend import BoundModel, UnrecognisedModelError
from polyattr_keras import keras_backend
from polyattr_tensorflow.bound_function import BoundFunction
from polyattr_tensorflow.bound_keras import GRAPH_FUNCTION, BoundKeras, is_keras
from polyattr_tensorflow.bound_saved import bind_saved, bind_signed, input_signature, is_saved


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
    return BoundFunction(model)
