"""The weights in trees of arrays, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

Path = tuple[Any, ...]


def grouped(tree: Any) -> dict[str, list[Path]]:
    """Returns where the floating arrays of each layer are, by the dotted path of the layer.

    A layer is what holds arrays. Of dicts the entries come in the order they have, not in that of
    the alphabet.
    """
    found: dict[str, list[Path]] = {}
    for path, leaf in leaves(tree):
        if hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating):
            found.setdefault(".".join(map(str, path[:-1])) or "model", []).append(path)
    return found


def leaves(tree: Any, above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yields the path of every leaf of a tree, and the leaf."""
    if isinstance(tree, Mapping):
        for key, below in tree.items():
            yield from leaves(below, (*above, key))
        return
    for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]:
        yield (*above, *map(_name, path)), leaf


def replaced(tree: Any, given: Mapping[str, Sequence[Any]]) -> Any:
    """Returns the tree with other arrays in some of the layers that `grouped` names."""
    known = grouped(tree)
    new = {
        path: value
        for name, values in given.items()
        for path, value in zip(known[name], values, strict=True)
    }
    return _rebuilt(tree, new, ())


def _rebuilt(tree: Any, new: Mapping[Path, Any], above: Path) -> Any:
    if isinstance(tree, Mapping):
        parts = {key: _rebuilt(below, new, (*above, key)) for key, below in tree.items()}
        return parts if type(tree) is dict else type(tree)(parts)  # type: ignore[call-arg]
    return jax.tree_util.tree_map_with_path(
        lambda path, leaf: new.get((*above, *map(_name, path)), leaf), tree
    )


def _name(key: Any) -> Any:
    """Returns what an entry of a path is called."""
    for attribute in ("key", "name", "idx"):
        if hasattr(key, attribute):
            return getattr(key, attribute)
    return str(key)
