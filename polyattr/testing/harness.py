"""What a subclass of the suite supplies, and what the checks build from it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

import numpy as np
import pytest

import polyattr
from polyattr.backend import GradBackend, Tensor
from polyattr.testing import expect

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "bfloat16", "float32", "float64")
OTHERS = ("int32", "int64", "uint8", "bool")
FEATURES = (*FLOATS, *OTHERS, "native noise", "connected")

ROUNDING = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
"""The distance from 1 to the next number of each floating dtype."""


class Harness:
    """The hooks of the suite; only `backend` has to be given.

    Attributes:
        backend: The backend under test.
        lacks: What the framework cannot do, with the reason, such as
            ``{"bfloat16": "NumPy has no such type"}``: a floating or integer dtype by name,
            "native noise", or "connected". Checks of it are skipped and show the reason.
    """

    backend: ClassVar[GradBackend]
    lacks: ClassVar[Mapping[str, str]] = {}

    # -- hooks ----------------------------------------------------------------------------------

    def model(self, function: Callable[..., Tensor]) -> Any:
        """Makes a model the backend binds out of a `function` of native tensors (N, ...)."""
        return function

    def compiled(self, function: Callable[..., Tensor]) -> Any:
        """Compiles a `function` of tensors (N, ...) as a user would; None where nothing can."""
        return None

    def double(self) -> AbstractContextManager[Any]:
        """Lets 64-bit numbers exist, where that is not the default."""
        return nullcontext()

    def settings(self) -> Any:
        """Reads the framework's process-wide settings and random state, to be compared."""
        return None

    # -- what the checks use --------------------------------------------------------------------

    def need(self, feature: str) -> None:
        """Skips the check, with the backend's reason, if it lacks a `feature`."""
        unknown = set(self.lacks) - set(FEATURES)
        expect.true(not unknown, f"`lacks` names {unknown}; there are {FEATURES}")
        if feature in self.lacks:
            pytest.skip(f"{self.backend.name} lacks {feature}: {self.lacks[feature]}")

    @contextmanager
    def numbers(self, dtype: str) -> Iterator[None]:
        """Surrounds a check in a `dtype`, with 64-bit numbers where it needs them."""
        self.need(dtype)
        with self.double() if dtype.endswith("64") else nullcontext():
            yield

    def native(self, array: Any, dtype: str = "float32") -> Tensor:
        """Makes a native tensor of an `array` of any shape, as `dtype`."""
        return self.backend.to_native(np.asarray(array), None, dtype)

    def index(self, values: list[int], dtype: str = "int32") -> Tensor:
        """Makes a native index (R,) of R `values`; every framework has the default `dtype`."""
        return self.backend.to_native(np.asarray(values, dtype))

    def host(self, tensor: Tensor) -> Array:
        """Copies a native `tensor` (...) to NumPy; fails if it is none, or still being recorded."""
        expect.true(self.backend.is_tensor(tensor), f"{type(tensor)} is no tensor of the backend")
        return self.backend.to_numpy(tensor)

    def explainer(self, name: str, model: Any, **settings: Any) -> polyattr.Explainer:
        """Makes a method for a `model` by `name` and `settings`, on the backend under test."""
        made: polyattr.Explainer = getattr(polyattr, name)(model, backend=self.backend, **settings)
        return made

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Fails if settings or the random state of the process differ afterwards."""
        before = self._state()
        yield
        expect.true(self._state() == before, f"state before: {before}, after: {self._state()}")

    def _state(self) -> Any:
        name, words, *rest = np.random.get_state()
        return self.settings(), random.getstate(), (name, np.asarray(words).tolist(), *rest)


def order_one(*shape: int, seed: int = 0) -> Array:
    """Draws normal numbers that float32 holds exactly, as float64."""
    drawn = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return drawn.astype(np.float64)


def eighths(*shape: int, seed: int = 0) -> Array:
    """Draws multiples of 1/8 in [-1, 1], which every floating dtype holds exactly."""
    return np.random.default_rng(seed).integers(-8, 9, shape) / 8.0
