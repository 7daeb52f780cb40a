"""What a traced function takes: names, containers, dtypes, and sometimes a number of rows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


class _MisfitError(Exception):
    """An argument does not fit a trace."""


@dataclass(frozen=True)
class Trace:
    """One way in which a traced function can be called.

    Attributes:
        specs: For each parameter the containers and specs it was traced with.
    """

    specs: Mapping[str, Any]

    @classmethod
    def of(cls, structured: tuple[Any, Any], signature: inspect.Signature) -> Trace:
        """Reads a concrete function's ``structured_input_signature``."""
        args, kwargs = structured
        return cls(signature.bind_partial(*args, **kwargs).arguments)

    @property
    def tensors(self) -> list[Any]:
        """The specs of dense tensors."""
        leaves = tf.nest.flatten(dict(self.specs))
        return [spec for spec in leaves if isinstance(spec, tf.TensorSpec)]

    @property
    def dtype(self) -> str | None:
        """The dtype of the first floating tensor."""
        return next((s.dtype.name for s in self.tensors if s.dtype.is_floating), None)

    @property
    def input_shape(self) -> tuple[int | None, ...] | None:
        """The shape of the only tensor, with None for open sizes."""
        ranked = [spec.shape for spec in self.tensors if spec.shape.rank is not None]
        return tuple(ranked[0]) if len(self.tensors) == len(ranked) == 1 else None

    @property
    def rows(self) -> int | None:
        """The only number of rows it takes, or None if it takes any."""
        sizes = {spec.shape[0] for spec in self.tensors if spec.shape.rank}
        return sizes.pop() if len(sizes) == 1 else None

    def takes(self, name: str) -> bool:
        """Says whether a parameter is a tensor, or holds any, rather than a fixed value."""
        leaves = tf.nest.flatten(self.specs.get(name))
        return any(isinstance(leaf, tf.TypeSpec) for leaf in leaves)

    def fit(self, given: Mapping[str, Any], exact: bool) -> dict[str, Any] | None:
        """Puts arguments in the containers and dtypes it takes; None where they do not fit.

        Args:
            given: By name of the parameter.
            exact: Whether dtypes must be as they are.
        """
        try:
            return {
                name: self._fit(self.specs[name], value, exact) if name in self.specs else value
                for name, value in given.items()
            }
        except _MisfitError:
            return None

    def _fit(self, spec: Any, value: Any, exact: bool) -> Any:
        if isinstance(spec, Mapping):
            if not isinstance(value, Mapping) or set(value) != set(spec):
                raise _MisfitError
            return {key: self._fit(spec[key], value[key], exact) for key in spec}
        if isinstance(spec, list | tuple):
            if not isinstance(value, list | tuple) or len(value) != len(spec):
                raise _MisfitError
            parts = [self._fit(s, v, exact) for s, v in zip(spec, value, strict=True)]
            return parts if isinstance(spec, list) else tuple(parts)
        return self._leaf(spec, value, exact)

    def _leaf(self, spec: Any, value: Any, exact: bool) -> Any:
        if not isinstance(spec, tf.TensorSpec):
            if not isinstance(spec, tf.TypeSpec) and (tf.is_tensor(value) or value != spec):
                raise _MisfitError
            return value
        if not tf.is_tensor(value):
            raise _MisfitError
        shape = tf.TensorShape([None, *spec.shape[1:]]) if self.rows else spec.shape
        alike = value.dtype == spec.dtype if exact else _kind(value.dtype) == _kind(spec.dtype)
        if not alike or not shape.is_compatible_with(value.shape):
            raise _MisfitError
        return tf.cast(value, spec.dtype)

    def call(self, function: Callable[[dict[str, Any]], Any], arguments: dict[str, Any]) -> Any:
        """Calls a function, in blocks of as many rows as it takes, the last one filled up."""
        count = first_size(arguments)
        if self.rows is None or count in {None, self.rows}:
            return function(arguments)
        parts = []
        for start in range(0, count, self.rows):
            index = [min(row, count - 1) for row in range(start, start + self.rows)]
            parts.append(function(_take(arguments, index)))
        return tf.nest.map_structure(lambda *outs: tf.concat(outs, axis=0)[:count], *parts)

    def __str__(self) -> str:
        return listed(self.specs)


def first_size(arguments: Mapping[str, Any]) -> Any:
    """Returns the size of the first axis of the first tensor that has axes, or None."""
    leaves = tf.nest.flatten(dict(arguments))
    return next((t.shape[0] for t in leaves if tf.is_tensor(t) and t.shape.rank), None)


def _take(arguments: dict[str, Any], index: list[int]) -> Any:
    return tf.nest.map_structure(
        lambda t: tf.gather(t, index) if tf.is_tensor(t) and t.shape.rank else t, arguments
    )


def listed(arguments: Mapping[str, Any]) -> str:
    """Writes dtype and shape of what holds tensors, an open or the samples' number of rows as N."""
    rows = first_size(arguments)
    return ", ".join(
        f"{name}: {_written(value, rows)}"
        for name, value in sorted(arguments.items())
        if any(tf.is_tensor(t) or isinstance(t, tf.TypeSpec) for t in tf.nest.flatten(value))
    )


def _written(value: Any, rows: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k!r}: {_written(v, rows)}' for k, v in sorted(value.items()))}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_written(v, rows) for v in value)}]"
    if not isinstance(value, tf.TensorSpec) and not tf.is_tensor(value):
        return repr(value)
    sizes = ["N" if size in {None, rows} else str(size) for size in value.shape[:1]]
    sizes += ["any" if size is None else str(size) for size in value.shape[1:]]
    return f"{value.dtype.name} ({', '.join(sizes)})"


def _kind(dtype: Any) -> str:
    return "float" if dtype.is_floating else "integer" if dtype.is_integer else str(dtype.name)
