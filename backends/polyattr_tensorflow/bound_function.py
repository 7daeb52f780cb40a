"""A function of tensors, or a callable tf.Module."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

from polyattr.backend import BoundModel, ModelOutputError, held_objects
from polyattr_keras import not_training
from polyattr_tensorflow.variables import floating, named_variables

_SYMBOLIC = ("'SymbolicTensor'", "symbolic tf.Tensor", "symbolic `tf.Tensor`")


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
        self._shapes = _KnownShapes()

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function; Python control flow on tensors becomes part of the graph."""
        if self._takes_training:
            kwargs = not_training(kwargs)
        return self._shapes.known([args, kwargs], self._read(args, kwargs))

    def weights(self) -> Mapping[str, Sequence[Any]]:
        """The variables it has, or refers to, each as a layer of its own."""
        return {name: [variable] for name, variable in self._variables().items()}

    @contextmanager
    def with_weights(self, given: Mapping[str, Sequence[Any]]) -> Iterator[Any]:
        """Assigns to the variables, and what they were when the block ends."""
        known = self._variables()
        before = [(known[name], tf.identity(known[name])) for name in given]
        try:
            for name, (value,) in given.items():
                known[name].assign(value)
            yield self._function
        finally:
            for variable, value in before:
                variable.assign(value)

    def _variables(self) -> dict[str, Any]:
        own = floating(getattr(self._function, "variables", ()))
        return named_variables(own or floating(held_objects(self._function)))

    def _call(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        try:
            return self._function(*args, **kwargs)
        except tf.errors.OperatorNotAllowedInGraphError:
            # Only now, since AutoGraph prints warnings about functions it cannot read.
            return tf.function(self._function)(*args, **kwargs)

    def _read(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        try:
            return self._call(args, kwargs)
        except (AttributeError, NotImplementedError, TypeError) as error:
            if not any(word in str(error) for word in _SYMBOLIC):
                raise
            raise ModelOutputError(
                f"the function reads values of its inputs, which have none while its graph is "
                f"made; expected model(x) in the place of model.predict(x), operations of "
                f"TensorFlow in the place of NumPy's, tf.where or tf.cond in the place of an `if` "
                f"that AutoGraph cannot read, and no .numpy(), float() or int() of what is "
                f"computed from them (it raised {type(error).__name__}: {error})"
            ) from error


def _takes_training(function: Callable[..., Any]) -> bool:
    try:
        return "training" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False


class _KnownShapes:
    """Remembers the shapes that rows of outputs had when they were computed.

    Where a graph does not know them, as of what a Python function in it returns, they are taken to
    be the same; the graph checks that when it runs.
    """

    def __init__(self) -> None:
        self._rows: list[list[Any]] = []

    def known(self, inputs: Any, outputs: Any) -> Any:
        """Returns outputs, tensors of unknown rank among them with the shape they will have.

        Args:
            inputs: What the function was called with, in containers.
            outputs: What it returned.
        """
        leaves = tf.nest.flatten(outputs)
        if not all(isinstance(leaf, tf.Tensor) for leaf in leaves):
            return outputs
        shapes = [t.shape for t in tf.nest.flatten(inputs) if isinstance(t, tf.Tensor)]
        rows = next((shape[0] for shape in shapes if shape.rank), None)
        if tf.executing_eagerly():
            # One row that was squeezed away has no shape to remember.
            if all(leaf.shape.rank and leaf.shape[0] == rows for leaf in leaves):
                self._rows = [list(leaf.shape[1:]) for leaf in leaves]
            return outputs
        if len(self._rows) != len(leaves) or all(leaf.shape.rank is not None for leaf in leaves):
            return outputs
        # Of one row nothing but its axis can be missing.
        shaped = tf.reshape if rows == 1 else tf.ensure_shape
        found = [
            leaf if leaf.shape.rank is not None else shaped(leaf, [rows, *row])
            for leaf, row in zip(leaves, self._rows, strict=True)
        ]
        return tf.nest.pack_sequence_as(outputs, found)
