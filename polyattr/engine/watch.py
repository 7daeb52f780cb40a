"""Whether a model is still what it was at the last call: asked once, before anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyattr.backend import Snapshot, Watched

_SETTLING = 2
_LAYERS = 4


class Watch:
    """Looks at everything that can be reached from a model, its operator and its output selector.

    What a call itself changes, such as a counter, is no change: it is taken up when the call ends.

    Args:
        is_tensor: Tells the framework's tensors, which are compared by identity.
        compiled: Whether the framework freezes what it traced. Where it does not, only what a
            trial remembered can be out of date, and what every call changes is not looked at.
    """

    def __init__(self, is_tensor: Callable[[Any], bool], compiled: bool) -> None:
        self._is_tensor, self._compiled = is_tensor, compiled
        self._snapshot: Snapshot | None = None
        self._calls = 0
        self._moving: frozenset[object] = frozenset()
        self._moves = False

    @property
    def doubt(self) -> bool:
        """Whether something cannot be followed, so that kernels may be out of date at any time."""
        return self._compiled and self._snapshot is not None and self._snapshot.doubt is not None

    def changed(self, watched: Callable[[], Watched]) -> bool:
        """Says whether the model may have changed since the last call; true at the first."""
        before = self._snapshot
        if before is None or self.doubt:
            return True
        if before.holds():
            return False
        moved = before.moved()
        now = self._snapshot = Snapshot(watched(), self._is_tensor)
        own = not self._compiled and moved <= self._moving
        if own or now.same(before):
            return False
        self._calls = 0
        return True

    def settle(self, watched: Callable[[], Watched]) -> None:
        """Takes up, at the end of a call, what the call itself has changed."""
        if self._calls >= _SETTLING and not self._moves:
            return
        self._calls += 1
        before = self._snapshot
        if before is not None and before.holds():
            return
        if before is not None:
            self._moves = True
            self._moving |= before.moved()
        self._snapshot = self._taken(watched())

    def _taken(self, watched: Watched) -> Snapshot:
        found = Snapshot(watched, self._is_tensor)
        for _ in range(_LAYERS):
            if found.holds():
                break
            # Looking at a module may load what it loads at its first use, and that the next.
            found = Snapshot(watched, self._is_tensor)
        return found
