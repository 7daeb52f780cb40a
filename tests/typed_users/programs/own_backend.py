"""A user's own backend, fully typed: NumPy functions, differentiated by central differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar

import numpy as np

from polyattr import BoundModel, GradBackend, Layer, ModelOutputError, Tap, Visits
from polyattr.backend import Watched
from polyattr.testing import BackendConformance

Array = np.ndarray[Any, Any]
Score = Callable[[list[Array]], Array]


class Squares:
    """A model: the weighted squares of the features, one column per class."""

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    def __call__(self, x: Array) -> Array:
        outputs: Array = x**2 @ self.weights
        return outputs


class OwnBound(BoundModel):
    """The model as a function, with everything written out that may be overridden."""

    dtype = "float64"

    def state(self) -> Any:
        return ()

    def layer(self, selector: Any, argument: str) -> Layer:
        return Layer("squares", place=None)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        visits = Visits(taps)
        return visits.call(0, self.run, (state, args, kwargs), {}), visits.seen

    def watched(self) -> Watched:
        return Watched((self._function,))

    def inference(self) -> AbstractContextManager[None]:
        return nullcontext()


class OwnBackend(GradBackend):
    """Exact to rounding for models of degree two."""

    name = "own"
    interface = 1

    def claims(self, candidate: object) -> bool:
        return isinstance(candidate, Squares)

    def bind(self, model: Any) -> BoundModel:
        if not callable(model):
            raise ModelOutputError(f"model is {model!r}")
        return OwnBound(model, entry=model)

    def is_tensor(self, value: object) -> bool:
        return isinstance(value, np.ndarray)

    def grad(self, score: Score, rows: list[Array]) -> tuple[Array, list[Array | None]]:
        gradients: list[Array | None] = []
        for leaf, row in enumerate(rows):
            gradient = np.zeros_like(row)
            for feature in np.ndindex(*row.shape[1:]):
                step = np.zeros_like(row)
                step[(slice(None), *feature)] = 0.5
                ends = [score([*rows[:leaf], row + s, *rows[leaf + 1 :]]) for s in (step, -step)]
                gradient[(slice(None), *feature)] = ends[0] - ends[1]
            gradients.append(gradient)
        return score(rows), gradients

    def fold(self, total: Array, index: Array, rows: Array) -> Array:
        np.add.at(total, index, rows)
        return total

    def row_sums(self, tensor: Array) -> Array:
        sums: Array = tensor.reshape(len(tensor), -1).sum(1)
        return sums

    def pick(self, outputs: Array, columns: list[Array]) -> Array:
        picked: Array = outputs[(np.arange(len(outputs)), *columns)]
        return picked

    def concat(self, parts: Sequence[Array]) -> Array:
        return np.concatenate(parts)

    def to_native(self, array: Any, like: Array | None = None, dtype: str | None = None) -> Array:
        return np.array(array, dtype=dtype)

    def to_numpy(self, tensor: Array) -> Array:
        return np.asarray(tensor)

    def dtype(self, tensor: Array) -> str:
        return str(tensor.dtype)

    def cast(self, tensor: Array, dtype: str) -> Array:
        return tensor.astype(dtype, copy=False)

    def zeros(self, shape: tuple[int, ...], like: Array, dtype: str) -> Array:
        return np.zeros(shape, dtype)

    # -- optional ---------------------------------------------------------------------------------

    def compile(
        self, function: Callable[..., Any], donate: int | None = None
    ) -> Callable[..., Any]:
        return function

    def session(self, like: Array | None = None) -> AbstractContextManager[None]:
        return nullcontext()

    def is_out_of_memory(self, error: Exception) -> bool:
        return isinstance(error, MemoryError)

    def devices(self) -> list[str]:
        return ["abacus"]


class TestOwnBackend(BackendConformance):
    """What a plugin's own test suite looks like; checked for its types, not run."""

    backend: ClassVar[GradBackend] = OwnBackend()
    lacks: ClassVar[Mapping[str, str]] = {"bfloat16": "NumPy has no such type"}

    def model(self, function: Callable[..., Any]) -> Any:
        return function

    def compiled(self, function: Callable[..., Any]) -> Any:
        return None

    def double(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def settings(self) -> Any:
        return None
