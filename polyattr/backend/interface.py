"""The interface between polyattr and a framework: all a plugin has to implement.

Core composes attribution methods from the verbs below and Python operators on native tensors. A
backend holds no attribution formula and never learns which method is running.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, ClassVar

import numpy as np
import pluggy

from polyattr.backend.bound_model import BoundModel
from polyattr.backend.optional_verbs import OptionalVerbs
from polyattr.backend.tensor import NativeTensor, Tensor
from polyattr.errors import InputError

INTERFACE_VERSION = 1
"""Raised when a verb of `GradBackend` changes its meaning; a plugin states the one it speaks."""

Score = Callable[[list[NativeTensor]], NativeTensor]
"""Maps rows (one tensor per input, each (R, ...)) to their scores (R,)."""


def noise_words(seed: int, leaf: int, draw: int) -> list[int]:
    """Splits what names a draw into words of fixed length, for generators seeded by a list.

    Without the split, a large seed and a small one with another leaf could name the same draw.
    """
    return [seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF, leaf, draw]


hookspec = pluggy.HookspecMarker("polyattr")
hookimpl = pluggy.HookimplMarker("polyattr")


class HookSpecs:
    """What pluggy calls on every registered backend."""

    @hookspec(firstresult=True)
    def polyattr_claim(
        self, candidate: object, failed: list[tuple[GradBackend, Exception]]
    ) -> GradBackend | None:
        """Answers with the backend if `candidate`, a model or a tensor, belongs to it.

        One that cannot tell adds itself and its error to `failed`: the next one is asked.
        """


class GradBackend(OptionalVerbs, ABC):
    """One framework, seen through the few operations gradient attribution needs.

    Attributes:
        name: The framework's import name, which is also the plugin's name.
        interface: The version of this interface the backend was written for. Every backend states
            its own, so that a later release can tell.

    Example:
        >>> from polyattr_jax import backend
        >>> backend.row_sums(backend.to_native([[1.0, 2.0], [3.0, 4.0]], dtype="float32"))
        Array([3., 7.], dtype=float32)
    """

    name: ClassVar[str]
    interface: ClassVar[int]

    @hookimpl
    def polyattr_claim(
        self, candidate: object, failed: list[tuple[GradBackend, Exception]]
    ) -> GradBackend | None:
        """Hook: the backend itself if the `candidate` is its own; `failed` gets what goes wrong."""
        try:
            return self if self.claims(candidate) else None
        except Exception as error:  # a plugin's own mistake must not break everybody's calls
            failed.append((self, error))
            return None

    # -- recognising and binding ------------------------------------------------------------

    @abstractmethod
    def claims(self, candidate: object) -> bool:
        """Says whether `candidate`, a model or an input tensor, belongs to this framework."""

    @abstractmethod
    def bind(self, model: Any) -> BoundModel:
        """Makes a function of the `model`.

        Raises:
            UnrecognisedModelError: Not something the framework can call.
        """

    @abstractmethod
    def is_tensor(self, value: object) -> bool:
        """Says whether `value` is a tensor of this framework."""

    # -- the four verbs ---------------------------------------------------------------------

    @abstractmethod
    def grad(
        self, score: Score, rows: list[NativeTensor]
    ) -> tuple[Tensor, Sequence[Tensor | None]]:
        """Differentiates each row's score with respect to that row.

        Args:
            score: Maps rows to scores (R,).
            rows: One tensor (R, ...) per input. One tensor given as two inputs has two gradients,
                each by its own place.

        Returns:
            The scores (R,) and one gradient per input, in the shape (R, ...) and dtype of its
            rows, all detached; None for an input that does not reach the score, where the
            framework can tell. Nothing is left on other tensors, such as a `.grad` on weights.
        """

    def differentiable_grad(
        self, score: Score, rows: list[NativeTensor]
    ) -> tuple[Tensor, Sequence[Tensor | None]]:
        """Differentiates as `grad` does, with results that can be differentiated themselves.

        Only for methods used as pure functions. Takes the `score` and `rows` (R, ...) of `grad`.

        Returns:
            The scores (R,) and gradients (R, ...), connected to the rows and to the parameters. By
            default what `grad` returns, which is right where the user's own transformation of the
            framework sees through it.
        """
        return self.grad(score, rows)

    def add_noise(self, rows: NativeTensor, noise: NativeTensor, scale: NativeTensor) -> Tensor:
        """Returns ``rows + scale * noise`` (R, ...), computed in at least float32.

        Args:
            rows: (R, ...) clean inputs.
            noise: (R, ...) standard normal draws.
            scale: (R,) signed standard deviations, in the units of the inputs.
        """
        wide = self.accumulator_dtype(rows)
        step = self.column(self.cast(scale, wide), rows) * self.cast(noise, wide)
        return self.cast(self.cast(rows, wide) + step, self.dtype(rows))

    def linspace(self, baseline: NativeTensor, rows: NativeTensor, alpha: NativeTensor) -> Tensor:
        """Returns the points (R, ...) at `alpha` of the straight paths from baseline to input.

        Both ends are exact, so that f(x) and f(baseline) can be read off the path.

        Args:
            baseline: (R, ...) start of each path.
            rows: (R, ...) end of each path.
            alpha: (R,) positions in [0, 1].
        """
        wide = self.accumulator_dtype(rows)
        at = self.column(self.cast(alpha, wide), rows)
        point = self.cast(baseline, wide) * (1 - at) + self.cast(rows, wide) * at
        return self.cast(point, self.dtype(rows))

    def batch(self, tensor: NativeTensor, index: NativeTensor) -> Tensor:
        """Gathers the rows ``tensor[index]`` of a `tensor` (S, ...) at an int32 `index` (R,)."""
        rows: Tensor = tensor[index]
        return rows

    # -- rows -------------------------------------------------------------------------------

    @abstractmethod
    def fold(self, total: NativeTensor, index: NativeTensor, rows: NativeTensor) -> Tensor:
        """Returns `total` (S, ...) with row r of `rows` (R, ...) added at entry r of `index` (R,).

        `index` is int32 and may name a place several times. `total` may be updated in place.
        """

    @abstractmethod
    def row_sums(self, tensor: NativeTensor) -> Tensor:
        """Sums all axes of `tensor` but the first: (R, ...) to (R,)."""

    @abstractmethod
    def pick(self, outputs: NativeTensor, columns: list[NativeTensor]) -> Tensor:
        """Returns ``outputs[r, columns[0][r], columns[1][r], ...]`` for every row r: (R,).

        Of `columns` there is one per axis of `outputs` (R, ...) but the first: integers (R,), of
        int64 where the framework has them. All other indices core makes are int32.
        """

    @abstractmethod
    def concat(self, parts: Sequence[NativeTensor]) -> Tensor:
        """Joins the `parts`, tensors (R, ...) of any R, along the first axis."""

    def unstack(self, tensor: NativeTensor) -> Sequence[Tensor]:
        """Splits a `tensor` (T, ...) into T tensors, without a copy where the framework can."""
        return [tensor[place] for place in range(tensor.shape[0])]

    def absolute(self, tensor: NativeTensor) -> Tensor:
        """Returns the absolute values of a `tensor` of any shape."""
        size: Tensor = abs(tensor)
        return size

    def maximum(self, a: NativeTensor, b: NativeTensor) -> Tensor:
        """Returns the larger of `a` and `b`, (R, ...) each, broadcast against each other.

        Where they are equal, each has half of the gradient.
        """
        kind = self.dtype(a)
        share = (self.cast(a > b, kind) + self.cast(a >= b, kind)) * 0.5
        larger: Tensor = a * share + b * (1 - share)
        return larger

    def reduce(self, kind: str, tensor: NativeTensor) -> Tensor:
        """Reduces a `tensor` (R, ..., K) to (R, ...); `kind` is "sum", "max" or "logsumexp".

        Entries that are the maximum together share its gradient evenly.

        Raises:
            InputError: The framework has no such reduction.
        """
        parts: list[Tensor] = [tensor[..., k] for k in range(tensor.shape[-1])]
        if kind == "sum":
            return reduce(operator.add, parts)
        if kind == "max":
            largest = reduce(self.maximum, parts)
            hits = [self.cast(part == largest, self.dtype(part)) for part in parts]
            shared = [part * hit for part, hit in zip(parts, hits, strict=True)]
            return reduce(operator.add, shared) / reduce(operator.add, hits)
        raise InputError(f"the {self.name} backend has no {kind}; use another operator")

    def along(self, tensor: NativeTensor, matrix: np.ndarray[Any, Any], axis: int) -> Tensor:
        """Multiplies a NumPy `matrix` (P, Q) onto the `axis` of size Q of a `tensor` (...)."""
        shape, axis, kind = tuple(tensor.shape), axis % len(tensor.shape), self.dtype(tensor)
        after = int(np.prod(shape[axis + 1 :], dtype=int))
        if after == 1:  # one product of two matrices, instead of one for each row
            flat = self.reshape(tensor, (-1, shape[axis]))
            found = flat @ self.to_native(matrix.T, tensor, kind)
        else:
            flat = self.reshape(tensor, (-1, shape[axis], after))
            found = self.to_native(matrix[None], tensor, kind) @ flat
        return self.reshape(found, (*shape[:axis], matrix.shape[0], *shape[axis + 1 :]))

    # -- arrays -----------------------------------------------------------------------------

    @abstractmethod
    def to_native(
        self, array: Any, like: NativeTensor | None = None, dtype: str | None = None
    ) -> Tensor:
        """Makes a NumPy `array` (...) a tensor on the device of `like`, as `dtype` if given.

        It is copied, whatever its memory: views with negative strides, read-only arrays, arrays
        without axes. Without a `dtype` it keeps its own; bfloat16 is asked for by name only.
        """

    @abstractmethod
    def to_numpy(self, tensor: NativeTensor) -> np.ndarray[Any, Any]:
        """Copies a `tensor` of any shape to the host; bfloat16, which NumPy lacks, as float32.

        All other dtypes stay. A read-only view will do where the tensor is never written to.
        """

    @abstractmethod
    def dtype(self, tensor: NativeTensor) -> str:
        """Names the dtype of a `tensor` of any shape: "float32", "bfloat16", "int64"."""

    @abstractmethod
    def cast(self, tensor: NativeTensor, dtype: str) -> Tensor:
        """Converts a `tensor` of any shape to a `dtype` by name; itself if it has that dtype."""

    @abstractmethod
    def zeros(self, shape: tuple[int, ...], like: NativeTensor, dtype: str) -> Tensor:
        """Makes zeros of a `shape` and `dtype` on the device of `like`."""

    def own(self, tensor: NativeTensor) -> Tensor:
        """Returns a `tensor` of any shape, free of recording by the caller's differentiation."""
        own: Tensor = tensor
        return own

    def accumulator_dtype(self, tensor: NativeTensor) -> str:
        """Names the dtype for sums of a `tensor` of any shape: of float64 itself, else float32."""
        return "float64" if self.dtype(tensor) == "float64" else "float32"

    def column(self, vector: NativeTensor, like: NativeTensor) -> Tensor:
        """Reshapes a `vector` (R,) to (R, 1, ..., 1), which broadcasts against `like` (R, ...)."""
        column: Tensor = vector[(slice(None),) + (None,) * (len(like.shape) - 1)]
        return column

    # -- optional, with the others in `OptionalVerbs` -----------------------------------------

    def connected(self, score: Score, rows: list[NativeTensor]) -> list[bool]:
        """Says for each of the `rows`, tensors (R, ...), whether the `score` depends on it.

        The default believes `grad`: one that returns zeros instead of None leaves a score that
        depends on nothing unnoticed, and its map of zeros without an error or a warning.
        """
        return [gradient is not None for gradient in self.grad(score, rows)[1]]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
