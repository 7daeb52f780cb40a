"""The compiled kernels an explainer owns, kept for as long as they answer the same question."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyattr.backend import BoundModel, Guard

# A callable target is part of the kernel; a fresh lambda in every call must not pile kernels up.
_MOST_KERNELS = 16


class Kernels:
    """Kernels by key, dropped when the model holds other objects than it did.

    A kernel may hold what its key holds and the model, never the tensors of the call that built it.

    Args:
        bound: The model whose `fingerprint` is watched.
        guard: Has every run of a kernel start from the same state.
    """

    def __init__(self, bound: BoundModel, guard: Guard) -> None:
        self._bound, self._guard = bound, guard
        self._kernels: dict[object, Callable[..., Any]] = {}
        self._fingerprint: tuple[object, ...] = ()

    def get(self, key: object, build: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
        """Returns the kernel for `key`, built if there is none that still holds."""
        self._guard.begin()
        now = self._bound.fingerprint()
        if len(now) != len(self._fingerprint) or any(
            a is not b for a, b in zip(now, self._fingerprint, strict=True)
        ):
            self._kernels.clear()
        self._fingerprint = now
        if key not in self._kernels:
            make_room(self._kernels, _MOST_KERNELS)
            self._kernels[key] = build()
        return self._guard.starting(self._kernels[key])

    def clear(self) -> None:
        """Forgets all kernels: what they were traced with was not what the call began with."""
        self._kernels = {}


def make_room(table: dict[Any, Any], most: int) -> None:
    """Drops the oldest entries of a `table`, so that one more makes at most `most`."""
    while len(table) >= most:
        table.pop(next(iter(table)))
