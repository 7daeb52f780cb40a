"""The calling convention: what a model takes beside its inputs, and how it takes them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from polyattr.errors import InputError, InputTypeError, brief, nearest


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
            f"forward_kwargs is {brief(kwargs)}; expected a dict of further arguments by name"
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
            f"batched is {brief(batched)}; expected the positions in forward_args and names in "
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


class _Way(Enum):
    """How inputs are handed over."""

    ONE_BY_ONE = "each part an argument of its own"
    BY_NAME = "each part under its key"
    AS_ONE = "the container itself"


# An operator may call its model with containers of any number of parts.
_MOST_DECISIONS = 64


class Calling:
    """How one model takes its inputs: one by one where its signature allows, else as one.

    A decision needs a look at the signature, which costs more than a small model: it is made once
    for each kind of containers, and applied to every tile.

    Args:
        entry: The callable whose signature counts, or None for a model that takes containers.
    """

    def __init__(self, entry: Callable[..., Any] | None) -> None:
        self._entry = entry
        self._decided: dict[object, _Way] = {}

    @property
    def takes_containers(self) -> bool:
        """Whether several inputs come in one container, whatever they are."""
        return self._entry is None

    def arguments(
        self, value: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Puts the arguments of one evaluation together.

        Args:
            value: The inputs in the user's containers.
            args: Positional arguments that follow the inputs.
            kwargs: Further keyword arguments.

        Returns:
            Positional and keyword arguments.
        """
        way = self._way(value, len(args), tuple(kwargs))
        if way is _Way.ONE_BY_ONE:
            return (*value, *args), dict(kwargs)
        if way is _Way.BY_NAME:
            return args, {**value, **kwargs}
        return (value, *args), dict(kwargs)

    def misfit(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str | None:
        """Says what the signature takes and is given, where it does not allow a call."""
        if self._entry is None or _accepts(self._entry, len(args), tuple(kwargs)):
            return None
        try:
            takes = inspect.signature(self._entry)
        except (TypeError, ValueError):
            return None
        given = [f"{len(args)} by position"] * bool(args) + [f"{name}=" for name in kwargs]
        return f"the model takes {takes}, and is given {', '.join(given) or 'nothing'}"

    def _way(self, value: Any, further: int, named: tuple[str, ...]) -> _Way:
        if self._entry is None or not isinstance(value, tuple | list | Mapping):
            return _Way.AS_ONE
        parts = tuple(value) if isinstance(value, Mapping) else len(value)
        kind = (parts, further, named)
        if kind not in self._decided:
            if len(self._decided) >= _MOST_DECISIONS:
                self._decided.clear()
            self._decided[kind] = _decide(self._entry, parts, further, named)
        return self._decided[kind]


def _decide(
    entry: Callable[..., Any], parts: int | tuple[Any, ...], further: int, named: tuple[str, ...]
) -> _Way:
    """Looks at the signature; only the numbers and names of arguments count.

    Args:
        entry: Whose signature.
        parts: How many parts the inputs have, or their keys.
        further: How many positional arguments follow the inputs.
        named: Names of the further keyword arguments.
    """
    if isinstance(parts, int):
        fits = parts > 0 and _accepts(entry, parts + further, named)
        return _Way.ONE_BY_ONE if fits else _Way.AS_ONE
    by_name = all(isinstance(key, str) for key in parts) and not set(parts) & set(named)
    fits = by_name and _accepts(entry, further, (*parts, *named))
    return _Way.BY_NAME if fits else _Way.AS_ONE


def _accepts(entry: Callable[..., Any], positional: int, named: tuple[str, ...]) -> bool:
    try:
        inspect.signature(entry).bind(*range(positional), **dict.fromkeys(named))
    except (TypeError, ValueError):
        return False
    return True
