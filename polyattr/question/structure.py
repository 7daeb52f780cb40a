"""Nested tuples, lists and dicts of arrays, seen as a flat list of leaves with names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Structure:
    """The shape of a nested container, without its leaves.

    Attributes:
        names: How a user would write each leaf, such as ``inputs['ids']``; one per leaf.
        kind: None for a bare leaf, else the container type.
        keys: The keys of a mapping or the positions of a sequence.
        children: The structure of each child.
    """

    names: tuple[str, ...]
    kind: type | None = None
    keys: tuple[Any, ...] = ()
    children: tuple[Structure, ...] = ()

    def build(self, leaves: Sequence[Any]) -> Any:
        """Puts leaves back into the containers they came from."""
        if self.kind is None:
            return leaves[0]
        parts, start = [], 0
        for child in self.children:
            parts.append(child.build(leaves[start : start + len(child.names)]))
            start += len(child.names)
        return self.hold(parts)

    def hold(self, parts: Sequence[Any]) -> Any:
        """Puts one part per child into the outermost container."""
        make: Any = self.kind
        if issubclass(make, Mapping):
            return dict(zip(self.keys, parts, strict=True))
        return make(*parts) if hasattr(make, "_fields") else make(parts)

    def outline(self) -> str:
        """Describes the containers for an error message, e.g. ``tuple(array, array)``."""
        if self.kind is None:
            return "array"
        inner = (child.outline() for child in self.children)
        if issubclass(self.kind, Mapping):
            parts = (f"{k!r}: {v}" for k, v in zip(self.keys, inner, strict=True))
            return f"dict({', '.join(parts)})"
        return f"{self.kind.__name__}({', '.join(inner)})"


def flatten(value: Any, name: str) -> tuple[Structure, list[Any]]:
    """Splits nested tuples, lists and mappings into a structure and its leaves."""
    if isinstance(value, Mapping):
        items = [(key, child, f"{name}[{key!r}]") for key, child in value.items()]
    elif isinstance(value, tuple | list):
        items = [(i, child, f"{name}[{i}]") for i, child in enumerate(value)]
    else:
        return Structure((name,)), [value]
    flat = [flatten(child, child_name) for _, child, child_name in items]
    structure = Structure(
        names=tuple(n for s, _ in flat for n in s.names),
        kind=dict if isinstance(value, Mapping) else type(value),
        keys=tuple(key for key, _, _ in items),
        children=tuple(s for s, _ in flat),
    )
    return structure, [leaf for _, leaves in flat for leaf in leaves]


def map_leaves(function: Callable[[Any], Any], value: Any) -> Any:
    """Applies a function to every leaf, keeping the containers."""
    structure, leaves = flatten(value, "")
    return structure.build([function(leaf) for leaf in leaves])
