"""What the checks build from a backend and the hooks of a subclass."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import pytest

import polyattr
from polyattr.backend import NativeTensor, Tensor
from polyattr.testing import expect
from polyattr.testing.hooks import Hooks
from polyattr.testing.reference import arguments

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "bfloat16", "float32", "float64")
OTHERS = ("int32", "int64", "uint8", "bool")
FEATURES = (*FLOATS, *OTHERS, "native noise", "connected", "sums in order")

ROUNDING = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23, "float64": 2.0**-52}
"""The distance from 1 to the next number of each floating dtype."""


class Harness(Hooks):
    """Native tensors, explainers and comparisons."""

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
        return self.backend.to_native(np.asarray(array), self.like(), dtype)

    def index(self, values: list[int], dtype: str = "int32") -> Tensor:
        """Makes a native index (R,) of R `values`; every framework has the default `dtype`."""
        return self.backend.to_native(np.asarray(values, dtype), self.like())

    def host(self, tensor: NativeTensor) -> Array:
        """Copies a native `tensor` (...) to NumPy; fails if it is none, or still being recorded."""
        expect.true(self.backend.is_tensor(tensor), f"{type(tensor)} is no tensor of the backend")
        return self.backend.to_numpy(tensor)

    def same_again(self, found: Any, wanted: Any, what: str) -> None:
        """Compares answers to one question: to the bit, where the device adds up in order.

        Args:
            found: One answer (...).
            wanted: The other (...).
            what: What they are, for the message.
        """
        if "sums in order" in self.lacks:
            expect.close(found, wanted, 128 * ROUNDING["float32"], what)
        else:
            expect.same(found, wanted, what)

    def explainer(self, name: str, model: Any, **settings: Any) -> polyattr.Explainer:
        """Makes a method for a `model` by `name` and `settings`, on the backend under test."""
        made: polyattr.Explainer = getattr(polyattr, name)(model, backend=self.backend, **settings)
        return made

    def method(self, name: str, model: Any, x: Any, **settings: Any) -> polyattr.Explainer:
        """Makes a method as its reference calls it.

        Args:
            name: The method.
            model: What it explains.
            x: Samples, NumPy arrays (N, ...).
            settings: Further arguments.

        Returns:
            The method on the backend under test.
        """
        return self.explainer(name, model, **settings, **arguments(name, x))

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
