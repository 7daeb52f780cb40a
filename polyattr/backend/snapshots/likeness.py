"""Objects a kernel is kept by: alike where all that can be reached from them is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyattr.backend.snapshots.snapshot import Snapshot
from polyattr.backend.snapshots.watched import Watched


class Likeness:
    """What makes an object of the user's equal to another: made when it is passed.

    A fresh lambda in every call, of the same code and the same values, is the same; the same
    object, changed since, is another.

    Args:
        value: The object.
        is_tensor: Tells the framework's tensors, which are compared by identity.

    Attributes:
        certain: Whether everything could be followed; if not, equal proves nothing.
    """

    def __init__(self, value: Any, is_tensor: Callable[[Any], bool]) -> None:
        self._value = value
        self._snapshot = Snapshot(Watched((value,)), is_tensor)
        self.certain = self._snapshot.doubt is None
        self._hash = hash(_hashable(self._snapshot.tokens))

    def still(self, value: Any) -> bool:
        """Says fast whether this is what a `value` is like now."""
        return self.certain and self._value is value and self._snapshot.holds()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Likeness):
            return NotImplemented
        return self is other or (self._hash == other._hash and self._snapshot.same(other._snapshot))

    def __hash__(self) -> int:
        return self._hash


def _hashable(tokens: list[Any]) -> tuple[Any, ...]:
    return tuple(token for token in tokens if isinstance(token, str | int | type))
