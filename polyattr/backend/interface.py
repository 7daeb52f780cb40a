"""The interface between polyattr and a framework: all a plugin has to implement.

Core composes attribution methods from the verbs below and Python operators on native tensors. A
backend holds no attribution formula and never learns which method is running.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import reduce
from typing import Any, ClassVar

import numpy as np
import pluggy

from polyattr.backend.bound_model import BoundModel as BoundModel
from polyattr.backend.bound_model import Layer as Layer
from polyattr.backend.bound_model import Tap as Tap
from polyattr.backend.bound_model import Tensor as Tensor
from polyattr.errors import InputError, PolyattrError

INTERFACE_VERSION = 1
"""Raised when a verb of `GradBackend` changes its meaning; a plugin states the one it speaks."""

Score = Callable[[list[Tensor]], Tensor]
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
    def polyattr_claim(self, candidate: object) -> GradBackend | None:
        """Answers with the backend if `candidate`, a model or a tensor, belongs to it."""


class GradBackend(ABC):
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
    def polyattr_claim(self, candidate: object) -> GradBackend | None:
        """Hook: the backend itself if the `candidate` is its own."""
        return self if self.claims(candidate) else None

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
    def grad(self, score: Score, rows: list[Tensor]) -> tuple[Tensor, list[Tensor | None]]:
        """Differentiates each row's score with respect to that row.

        Args:
            score: Maps rows to scores (R,).
            rows: One tensor (R, ...) per input.

        Returns:
            The scores (R,) and one gradient (R, ...) per input, all detached; None for an input
            that does not reach the score, where the framework can tell.
        """

    def add_noise(self, rows: Tensor, noise: Tensor, scale: Tensor) -> Tensor:
        """Returns ``rows + scale * noise`` (R, ...), computed in at least float32.

        Args:
            rows: (R, ...) clean inputs.
            noise: (R, ...) standard normal draws.
            scale: (R,) signed standard deviations, in the units of the inputs.
        """
        wide = self.accumulator_dtype(rows)
        step = self.column(self.cast(scale, wide), rows) * self.cast(noise, wide)
        return self.cast(self.cast(rows, wide) + step, self.dtype(rows))

    def linspace(self, baseline: Tensor, rows: Tensor, alpha: Tensor) -> Tensor:
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

    def batch(self, tensor: Tensor, index: Tensor) -> Tensor:
        """Gathers the rows ``tensor[index]`` of a `tensor` (S, ...) at an integer `index` (R,)."""
        return tensor[index]

    # -- rows -------------------------------------------------------------------------------

    @abstractmethod
    def fold(self, total: Tensor, index: Tensor, rows: Tensor) -> Tensor:
        """Returns `total` (S, ...) with row r of `rows` (R, ...) added at entry r of `index` (R,).

        `total` may be updated in place.
        """

    @abstractmethod
    def row_sums(self, tensor: Tensor) -> Tensor:
        """Sums all axes of `tensor` but the first: (R, ...) to (R,)."""

    @abstractmethod
    def pick(self, outputs: Tensor, columns: list[Tensor]) -> Tensor:
        """Returns ``outputs[r, columns[0][r], columns[1][r], ...]`` for every row r: (R,).

        Of `columns`, integers (R,), there is one per axis of `outputs` (R, ...) but the first.
        """

    @abstractmethod
    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        """Joins the `parts`, tensors (R, ...) of any R, along the first axis."""

    def unstack(self, tensor: Tensor) -> Sequence[Tensor]:
        """Splits a `tensor` (T, ...) into T tensors, without a copy where the framework can."""
        return list(tensor)

    def maximum(self, a: Tensor, b: Tensor) -> Tensor:
        """Returns the larger of `a` and `b`, (R, ...) each, broadcast against each other.

        Where they are equal, each has half of the gradient.
        """
        kind = self.dtype(a)
        share = (self.cast(a > b, kind) + self.cast(a >= b, kind)) * 0.5
        return a * share + b * (1 - share)

    def reduce(self, kind: str, tensor: Tensor) -> Tensor:
        """Reduces a `tensor` (R, ..., K) to (R, ...); `kind` is "sum", "max" or "logsumexp".

        Entries that are the maximum together share its gradient evenly.

        Raises:
            InputError: The framework has no such reduction.
        """
        parts = [tensor[..., k] for k in range(tensor.shape[-1])]
        if kind == "sum":
            return reduce(operator.add, parts)
        if kind == "max":
            largest = reduce(self.maximum, parts)
            hits = [self.cast(part == largest, self.dtype(part)) for part in parts]
            shared = [part * hit for part, hit in zip(parts, hits, strict=True)]
            return reduce(operator.add, shared) / reduce(operator.add, hits)
        raise InputError(f"the {self.name} backend has no {kind}; use another operator")

    # -- arrays -----------------------------------------------------------------------------

    @abstractmethod
    def to_native(self, array: Any, like: Tensor | None = None, dtype: str | None = None) -> Tensor:
        """Makes a NumPy `array` (...) a tensor on the device of `like`, as `dtype` if given."""

    @abstractmethod
    def to_numpy(self, tensor: Tensor) -> np.ndarray[Any, Any]:
        """Copies a `tensor` of any shape to the host; bfloat16, which NumPy lacks, as float32."""

    @abstractmethod
    def dtype(self, tensor: Tensor) -> str:
        """Names the dtype of a `tensor` of any shape: "float32", "bfloat16", "int64"."""

    @abstractmethod
    def cast(self, tensor: Tensor, dtype: str) -> Tensor:
        """Converts a `tensor` of any shape to a `dtype` by name; itself if it has that dtype."""

    @abstractmethod
    def zeros(self, shape: tuple[int, ...], like: Tensor, dtype: str) -> Tensor:
        """Makes zeros of a `shape` and `dtype` on the device of `like`."""

    def own(self, tensor: Tensor) -> Tensor:
        """Returns a `tensor` of any shape, free of recording by the caller's differentiation."""
        return tensor

    def accumulator_dtype(self, tensor: Tensor) -> str:
        """Names the dtype for sums of a `tensor` of any shape: of float64 itself, else float32."""
        return "float64" if self.dtype(tensor) == "float64" else "float32"

    def column(self, vector: Tensor, like: Tensor) -> Tensor:
        """Reshapes a `vector` (R,) to (R, 1, ..., 1), which broadcasts against `like` (R, ...)."""
        return vector[(slice(None),) + (None,) * (len(like.shape) - 1)]

    # -- optional: native where faster --------------------------------------------------------

    def compile(
        self, function: Callable[..., Any], donate: int | None = None
    ) -> Callable[..., Any]:
        """Compiles a `function` for fixed shapes; `donate` numbers an argument it may overwrite."""
        return function

    def noise(self, seed: int, draws: Sequence[int], leaf: int, like: Tensor) -> Tensor:
        """Draws standard normal noise (K, *like.shape[1:]) on the device of `like`, K `draws`.

        Each draw depends on (`seed`, `leaf`, draw) alone, never on which are asked for together.

        Raises:
            InputError: The framework has no random numbers.
        """
        raise InputError(
            f"the {self.name} backend has no random numbers of its own; use noise_source='portable'"
        )

    def outline(self, function: Callable[..., Any], *args: Any) -> Any:
        """Returns what `function` returns for `args`, or stand-ins that have its shapes."""
        return function(*args)

    def connected(self, score: Score, rows: list[Tensor]) -> list[bool]:
        """Says for each of the `rows`, tensors (R, ...), whether the `score` depends on it."""
        return [gradient is not None for gradient in self.grad(score, rows)[1]]

    def session(self, like: Tensor | None = None) -> AbstractContextManager[None]:
        """Surrounds a call on the device of `like`; restores global state on exit."""
        return nullcontext()

    def is_out_of_memory(self, error: Exception) -> bool:
        """Says whether an `error` means that a tile was too large for the device's memory."""
        return isinstance(error, MemoryError)

    def accelerated(self, tensor: Tensor) -> bool:
        """Says whether a `tensor` of any shape lives on an accelerator."""
        return False

    def devices(self) -> list[str]:
        """Names the devices the framework sees."""
        return ["cpu"]

    def demo_network(self, weights: Mapping[str, np.ndarray[Any, Any]]) -> Any:
        """Builds the network of ``polyattr.demo`` from its `weights`, whose shapes it documents.

        Raises:
            PolyattrError: The backend ships none.
        """
        raise PolyattrError(f"the {self.name} backend ships no demo network")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
