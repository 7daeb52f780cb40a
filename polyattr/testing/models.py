"""Models made of Python operators and a backend's own verbs, with derivatives worked out by hand.

That is all a backend promises, so the suite can build its models natively in any framework.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor

Array = np.ndarray[Any, Any]
Function = Callable[..., Tensor]


def constant(backend: GradBackend, array: Array, like: Tensor) -> Tensor:
    """Makes a native constant of the dtype and on the device of `like`."""
    return backend.to_native(array, like, backend.dtype(like))


def single(array: Array) -> Array:
    """Rounds to float32, kept as float64: the same number then enters every computation."""
    return array.astype(np.float32).astype(np.float64)


def square(backend: GradBackend) -> Function:
    """The sum of squares (N, ...) -> (N,); its gradient is 2 x."""
    return lambda x: backend.row_sums(x * x)


def cube(backend: GradBackend) -> Function:
    """The sum of cubes (N, ...) -> (N,); its gradient is 3 x^2."""
    return lambda x: backend.row_sums(x * x * x)


def linear(backend: GradBackend, weights: Array, like: Tensor) -> Function:
    """The weighted sum of all features (N, ...) -> (N,); its gradient is `weights`."""
    native = constant(backend, weights, like)
    return lambda x: backend.row_sums(x * native)


@dataclass(frozen=True)
class Rational:
    """A smooth network without special functions: its hidden units are h / (1 + h^2).

    Attributes:
        inner: (F, H) weights of the hidden units.
        outer: (H, C) weights of the classes.
    """

    inner: Array
    outer: Array

    def native(self, backend: GradBackend, like: Tensor) -> Function:
        """The network in the backend's framework, (N, F) -> (N, C), in the dtype of `like`."""
        inner, outer = (constant(backend, weights, like) for weights in (self.inner, self.outer))

        def outputs(x: Tensor) -> Tensor:
            h = x @ inner
            return (h / (1 + h * h)) @ outer

        return outputs

    def outputs(self, x: Array) -> Array:
        """The network in NumPy, (N, F) -> (N, C)."""
        h = x @ self.inner
        outputs: Array = (h / (1 + h * h)) @ self.outer
        return outputs

    def gradient(self, x: Array, classes: Array) -> Array:
        """The gradient (N, F) of one class per sample: d/dh h / (1 + h^2) by hand."""
        h = x @ self.inner
        slope = (1 - h * h) / (1 + h * h) ** 2
        gradient: Array = (slope * self.outer.T[classes]) @ self.inner.T
        return gradient


def rational(seed: int = 0, features: int = 4, hidden: int = 6, classes: int = 3) -> Rational:
    """Draws a network; inputs of order 1 give outputs of order 1."""
    rng = np.random.default_rng(seed)
    inner = single(rng.standard_normal((features, hidden)) / np.sqrt(features))
    return Rational(inner, single(rng.standard_normal((hidden, classes))))


class GaveUpError(Exception):
    """What `Fragile` raises."""


class Fragile:
    """The sum of cubes, raising at the n-th execution of its Python code; never at n = 0.

    Args:
        backend: Supplies the verbs.
    """

    def __init__(self, backend: GradBackend) -> None:
        self._function, self.left = cube(backend), 0

    def __call__(self, x: Tensor) -> Tensor:
        """Evaluates (N, ...) -> (N,), or gives up."""
        self.left -= 1
        if self.left == 0:
            raise GaveUpError("the model gave up")
        return self._function(x)
