"""One thing that a call can change: whether it did, and how it is put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from polyattr.backend.presence import has


@dataclass(frozen=True)
class Keeper:
    """One thing as it is now.

    Attributes:
        changed: Says whether it is something else since.
        put_back: Makes it what it was.
        chance: Whether it is the state of a generator of random numbers.
        news: For a container what is in it now and was not, or the other way round; None for an
            array, which is written to.
        put_some_back: For a container the same as `put_back` for those entries alone of which a
            question says yes.
    """

    changed: Callable[[], bool]
    put_back: Callable[[], object]
    chance: bool = False
    news: Callable[[], list[object]] | None = None
    put_some_back: Callable[[Callable[[object], bool]], object] | None = None

    def changed_arrays(self) -> bool:
        """Says whether an array changed, or is where it was not."""
        return self.changed() and (self.news is None or any(map(has_array, self.news())))

    def holds(self, asked: Callable[[object], bool]) -> bool:
        """Says whether something came in of which a question says yes."""
        return self.news is not None and self.changed() and any(map(asked, self.news()))

    def put(self, asked: Callable[[object], bool]) -> None:
        """Puts back what a question says yes of, or all where that cannot be told apart."""
        if self.put_some_back is None:
            self.put_back()
        else:
            self.put_some_back(asked)


def has_array(value: object) -> bool:
    """Says whether a `value` is an array, or a container with one."""
    return _holds(value, lambda part: has(part, "shape"))


def _holds(value: object, wanted: Callable[[object], bool]) -> bool:
    """Says whether a `value`, or what is in it, is `wanted`."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        # No state of a few layers is longer.
        return any(_holds(part, wanted) for part in value[:100])
    return wanted(value)


class FrameworkObjects:
    """What a backend knows of its framework's objects that can change; a backend may have its own.

    Attributes:
        libraries: Packages that look after their own objects: caches, locks, compiled functions.
        traces: Whether models are run on stand-ins for tensors, while a function is compiled.
    """

    libraries: frozenset[str] = frozenset()
    traces: bool = False

    def is_module(self, value: object) -> bool:
        """Says whether a `value` is a model or layer, whose attributes are its state."""
        return False

    def is_parameter(self, value: object) -> bool:
        """Says whether a `value` is a parameter: a model that makes one is being built."""
        return False

    def is_traced(self, value: object) -> bool:
        """Says whether a `value` is a stand-in for a tensor, which means nothing after a call."""
        return False

    def inside(self, value: object) -> tuple[dict[str, Any], list[object]] | None:
        """Returns the attributes and the content of a container that is the framework's own.

        None where a `value` is anything else.
        """
        return None

    def keepers(self, value: object, copies: bool) -> list[Keeper] | None:
        """Returns what keeps a `value` as it is; None where it is no object of the framework's.

        Parameters need not be kept by their values where `copies` is false.
        """
        return None
