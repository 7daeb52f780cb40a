"""Which objects of TensorFlow a call can change, and how they are put back."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from polyattr.backend import FrameworkObjects, Keeper
from polyattr_keras import LIBRARIES, is_built_layer, is_variable, keras_keepers
from polyattr_tensorflow.bound_keras import is_keras

# Where TensorFlow has the containers it tracks.
_TRACKED = "tensorflow.python.trackable.data_structures"


class TensorFlowObjects(FrameworkObjects):
    """Modules, layers, variables."""

    libraries = frozenset({"tensorflow", "wrapt"}) | LIBRARIES
    traces = True

    def inside(self, value: object) -> tuple[dict[str, Any], list[object]] | None:
        """Lists and dicts that a tf.Module makes of those it is given, to save them.

        They remember how they were changed: what is put back behind their backs has to fit.
        """
        if type(value).__module__ != _TRACKED:
            return None
        try:
            attributes: dict[str, Any] = object.__getattribute__(value, "__dict__")
        except AttributeError:  # a named tuple, which has none
            attributes = {}
        return attributes, [getattr(value, "__wrapped__", None)]

    def is_traced(self, value: object) -> bool:
        """A tensor of a graph."""
        return isinstance(value, tf.Tensor) and bool(tf.is_symbolic_tensor(value))

    def is_module(self, value: object) -> bool:
        """A tf.Module, or a layer that has its variables."""
        if is_keras(value):
            return is_built_layer(value)
        return isinstance(value, tf.Module) and not _is_library(value)

    def is_parameter(self, value: object) -> bool:
        """A variable."""
        return isinstance(value, tf.Variable) or is_variable(value)

    def keepers(self, value: object, copies: bool) -> list[Keeper] | None:
        """Keeps variables; reading one costs no memory until it is written to."""
        if is_keras(value) and not is_built_layer(value):
            return []
        if (kept := keras_keepers(value, tf.executing_eagerly)) is not None:
            return kept
        if isinstance(value, tf.Variable):
            return [_variable(value)] if copies or not value.trainable else []
        if isinstance(value, tf.random.Generator):
            return [_variable(value.state, chance=True)]
        return [] if isinstance(value, tf.Tensor | tf.Variable) else None


def _is_library(value: object) -> bool:
    return type(value).__module__.partition(".")[0] == "tensorflow" and type(value) is not tf.Module


def _variable(variable: Any, chance: bool = False) -> Keeper:
    saved = variable.read_value()
    written = variable.dtype in {tf.resource, tf.variant}

    def changed() -> bool:
        # In a trace, writing would become a part of it.
        if written or not tf.executing_eagerly():
            return False
        now = variable.read_value()
        return bool(now.shape != saved.shape or now.numpy().tobytes() != saved.numpy().tobytes())

    return Keeper(changed, lambda: variable.assign(saved), chance=chance)
