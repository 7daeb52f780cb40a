"""A snapshot: what was there, whether it still is, and whether another one is the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyattr.backend.snapshots.walker import Walker
from polyattr.backend.snapshots.watched import Watched


class Snapshot:
    """Everything that can be reached from some objects, as it is now.

    Args:
        watched: The objects, and where following ends.
        is_tensor: Tells the framework's tensors, which are compared by identity.

    Attributes:
        doubt: What could not be followed, in words, or None: with a doubt, `holds` proves nothing.
    """

    def __init__(self, watched: Watched, is_tensor: Callable[[Any], bool]) -> None:
        trail = Walker(watched, is_tensor).walk()
        self.tokens, self.doubt = trail.tokens, trail.doubt
        self._guards, self._kept = trail.guards, trail.kept
        self._guards.seal()

    def holds(self) -> bool:
        """Says fast whether nothing was replaced; a False may be a false alarm."""
        return self._guards.hold()

    def moved(self) -> frozenset[object]:
        """Names what was replaced, so that it is known again."""
        return self._guards.moved()

    def same(self, other: Snapshot) -> bool:
        """Says whether another snapshot found the same, by value."""
        try:
            return bool(self.tokens == other.tokens)
        except Exception:  # what compares itself in a way of its own counts as different
            return False
