"""The calling convention: what a model takes beside its inputs, and how it takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from polyattr.errors import InputError, InputTypeError, nearest


@dataclass(frozen=True)
class Beside:
    """What the model takes beside its inputs.

    Attributes:
        args: Further positional arguments.
        kwargs: Further keyword arguments.
        batched: The positions and names of those with a sample axis; True for every array, None
            goes by their size.
    """

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    batched: frozenset[int | str] | bool | None = None

    def kind(self, key: int | str) -> str | None:
        """Says whether the arrays of one argument belong to samples, or None where unsaid."""
        if self.batched is None:
            return None
        everything = isinstance(self.batched, bool)
        return "companion" if everything or self.names(key) else "shared"

    def names(self, key: int | str) -> bool:
        """Says whether `batched` names an argument."""
        return isinstance(self.batched, frozenset) and key in self.batched


def read_beside(forward_args: Any, forward_kwargs: Any, batched: Any) -> Beside:
    """Checks `forward_args`, `forward_kwargs` and `batched`.

    Raises:
        InputTypeError: Not a sequence, a mapping with names, or a collection of both.
        InputError: `batched` names an argument that is not there.
    """
    if not isinstance(forward_args, tuple | list):
        raise InputTypeError(
            f"forward_args is a {type(forward_args).__name__}; expected a tuple of further "
            f"arguments, (value,) for a single one"
        )
    kwargs = {} if forward_kwargs is None else forward_kwargs
    if not isinstance(kwargs, Mapping) or not all(isinstance(key, str) for key in kwargs):
        raise InputTypeError(
            f"forward_kwargs is {_brief(kwargs)}; expected a dict of further arguments by name"
        )
    known: list[int | str] = [*range(len(forward_args)), *kwargs]
    return Beside(tuple(forward_args), dict(kwargs), _read_batched(batched, known))


def _read_batched(batched: Any, known: list[int | str]) -> frozenset[int | str] | bool | None:
    if batched is None or batched is True:
        return batched
    if batched is False:
        return frozenset()
    entries = [batched] if isinstance(batched, int | str) else batched
    if not isinstance(entries, tuple | list | set | frozenset) or not all(
        isinstance(entry, int | str) and not isinstance(entry, bool) for entry in entries
    ):
        raise InputTypeError(
            f"batched is {_brief(batched)}; expected the positions in forward_args and names in "
            f"forward_kwargs of the arguments that have a row per sample, such as (0, 'mask')"
        )
    for entry in entries:
        if entry not in known:
            raise InputError(
                f"batched names {entry!r}, which is neither a position in forward_args nor a name "
                f"in forward_kwargs.{nearest(entry, map(str, known))} Given are: "
                f"{', '.join(map(repr, known)) or 'none'}"
            )
    return frozenset(entries)


def arguments(
    entry: Callable[..., Any] | None, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Decides how a model takes its inputs: one by one where its signature allows, else as one.

    Args:
        entry: The callable whose signature counts, or None for a model that takes containers.
        value: The inputs in the user's containers.
        args: Positional arguments that follow the inputs.
        kwargs: Further keyword arguments.

    Returns:
        Positional and keyword arguments.
    """
    parts = value if isinstance(value, tuple | list) else ()
    if entry is not None and parts and _accepts(entry, *parts, *args, **kwargs):
        return (*parts, *args), dict(kwargs)
    named = isinstance(value, Mapping) and all(isinstance(key, str) for key in value)
    apart = named and not set(value) & set(kwargs)
    if entry is not None and apart and _accepts(entry, *args, **value, **kwargs):
        return args, {**value, **kwargs}
    return (value, *args), dict(kwargs)


def _brief(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _accepts(entry: Callable[..., Any], *args: Any, **kwargs: Any) -> bool:
    try:
        inspect.signature(entry).bind(*args, **kwargs)
    except (TypeError, ValueError):
        return False
    return True
