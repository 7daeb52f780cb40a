"""The random state NumPy and Python share with the user: a call leaves it as it was."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from polyattr.engine.kernels import make_room

_MOST_KINDS = 64


class SharedChance:
    """Puts the shared generators back where a model, a target or a baseline draws from them.

    Reading both takes a twentieth of a small model's call: that is done for the first call of each
    kind, and for all of a kind that has drawn.
    """

    def __init__(self) -> None:
        self._still: dict[object, bool] = {}

    @contextmanager
    def kept(self, given: Sequence[Any], full: bool) -> Iterator[None]:
        """Surrounds a call.

        Args:
            given: What the user passed: shapes, types and code tell the kinds of calls apart.
            full: Whether everything known is asked for, for which the model may run once more.
        """
        kind = (full, *map(_kind, given))
        if self._still.get(kind, False):
            yield
            return
        before = _state()
        try:
            yield
        finally:
            still = _same(before, _state())
            make_room(self._still, _MOST_KINDS)
            self._still[kind] = still
            if not still:
                random.setstate(before[0])
                np.random.set_state(before[1])


def _kind(value: Any) -> object:
    try:
        return getattr(value, "__code__", type(value)), getattr(value, "shape", None)
    except RuntimeError:  # a nested tensor of PyTorch has no shape, and raises
        return type(value)


def _state() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state(legacy=False)


def _same(a: tuple[Any, Any], b: tuple[Any, Any]) -> bool:
    # A generator's state is nested dicts of numbers and arrays, one kind of them per generator.
    return a[0] == b[0] and pickle.dumps(a[1]) == pickle.dumps(b[1])
