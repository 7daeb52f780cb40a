"""Keras models on TensorFlow, of Keras 3 and of tf_keras."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from types import MethodType
from typing import Any

import tensorflow as tf

from polyattr.backend import Tap
from polyattr_keras import (
    KerasLayers,
    Methods,
    all_layers,
    check_inputs,
    keras_backend,
    keras_dtype,
    keras_entry,
    not_training,
    replaced,
    tapped,
)
from polyattr_tensorflow.variables import first_float
from polyattr_tensorflow.visits import GraphVisits

GRAPH_FUNCTION = type(tf.function(lambda: None))
"""What tf.function makes, and what a SavedModel is loaded as."""


def is_keras(candidate: object) -> bool:
    """A Keras 3 model or layer on TensorFlow, or one of tf_keras."""
    legacy = sys.modules.get("tf_keras")
    is_legacy = legacy is not None and isinstance(candidate, legacy.layers.Layer)
    return is_legacy or keras_backend(candidate) == "tensorflow"


class BoundKeras(KerasLayers):
    """A Keras model; its mode is an argument."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))

    @property
    def like(self) -> Any:  # type: ignore[override]  # a model may be built after it is bound
        """A floating variable."""
        return first_float(self._function.variables)

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # a model may be built later
        """The dtype the model takes."""
        return keras_dtype(self._function)

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False``."""
        check_inputs(self._function, args)
        # In a graph, layers that compute activations again cannot be called by keyword.
        with replaced(super().plain_methods()):
            return self._function(*args, **not_training(kwargs))

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Runs the model with the `call` of the layers replaced.

        Raises:
            LayerNotFoundError: A layer is called where it cannot be reached.
        """
        visits = GraphVisits(taps)
        with tapped(visits, self.plain_methods()):
            outputs = self.run(state, args, kwargs)
        visits.check()
        return outputs, visits.seen

    def plain_methods(self) -> Methods:
        """Adds methods that are tf.functions, and what they were made of.

        A graph traced before would not call a tapped layer, and one traced now would keep the tap.
        """
        layers = (self._function, *all_layers(self._function))
        graphs = [
            (layer, name, plain)
            for layer in layers
            for name, plain in _graph_methods(layer).items()
        ]
        return [*super().plain_methods(), *graphs]


def _graph_methods(layer: Any) -> dict[str, Callable[..., Any]]:
    """Finds the tf.functions of a layer's class and of its own, without their graphs."""
    inherited = {
        name: f for kind in reversed(type(layer).__mro__) for name, f in vars(kind).items()
    }
    bound = {
        name: MethodType(function.python_function, layer)
        for name, function in inherited.items()
        if isinstance(function, GRAPH_FUNCTION)
    }
    own = {
        name: function.python_function
        for name, function in vars(layer).items()
        if isinstance(function, GRAPH_FUNCTION)
    }
    return {**bound, **own}
