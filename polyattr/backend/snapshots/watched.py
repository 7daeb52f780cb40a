"""What is to be followed, and where following ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Watched:
    """What a kernel may have read while it was traced.

    Attributes:
        roots: What is followed: everything that can be reached from these objects.
        whole: Types whose instances are compared by identity and not taken apart, beside the
            framework's tensors: variables that are read anew by every call.
        passed: Objects compared by nothing, in any containers: what `BoundModel.state` hands over
            as arguments.
        unread: Names of attributes that no call of a model reads, such as an optimizer.
    """

    roots: tuple[Any, ...]
    whole: tuple[type, ...] = ()
    passed: tuple[Any, ...] = ()
    unread: frozenset[str] = field(default_factory=frozenset)


class Unfollowed:
    """Base of what belongs to the package's own bookkeeping: no function computes with it."""
