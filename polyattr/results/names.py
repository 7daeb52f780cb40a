"""What the axes of an attribution are called: features, channels, classes, tokens, rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief


@dataclass(frozen=True, init=False)
class Names:
    """What features, channels, classes, words and samples are called, where that is known.

    Whatever turns into text may be given: lists, arrays, the columns of a DataFrame.

    Args:
        features: One name for each of the F features of a table (N, F).
        channels: One name for each channel of images or series: for the first axis of a sample or
            for its last one.
        classes: Names of classes by their index: a dict, or a sequence counted from 0.
        tokens: One sequence of L words per sample, for inputs (N, L) or their embeddings
            (N, L, E). Padding has words, too, as a tokenizer writes it.
        rows: One label per sample.

    Raises:
        InputTypeError: A single text for a sequence of them, or a class whose index is no int.
        InputError: A negative index of a class.

    Example:
        >>> import polyattr
        >>> names = polyattr.Names(features=["age", "income"], classes={1: "yes"})
        >>> names.features, names.class_name(1), names.class_name(0)
        (('age', 'income'), 'yes', 'class 0')
    """

    features: tuple[str, ...] | None = None
    channels: tuple[str, ...] | None = None
    classes: Mapping[int, str] | None = None
    tokens: tuple[tuple[str, ...], ...] | None = None
    rows: tuple[str, ...] | None = None

    def __init__(
        self,
        *,
        features: Iterable[object] | None = None,
        channels: Iterable[object] | None = None,
        classes: Mapping[int, object] | Iterable[object] | None = None,
        tokens: Iterable[Iterable[object]] | None = None,
        rows: Iterable[object] | None = None,
    ) -> None:
        self._keep("features", _texts("names.features", features))
        self._keep("channels", _texts("names.channels", channels))
        self._keep("classes", _classes(classes))
        self._keep("tokens", _words(tokens))
        self._keep("rows", _texts("names.rows", rows))

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return any(getattr(self, entry.name) is not None for entry in fields(self))

    def class_name(self, index: int) -> str:
        """Returns the name of a class, or "class 3" where it has none.

        Args:
            index: Of the class, from 0.

        Example:
            >>> import polyattr
            >>> polyattr.Names(classes=["no", "yes"]).class_name(1)
            'yes'
        """
        named = {} if self.classes is None else self.classes
        return named.get(int(index), f"class {int(index)}")


def read_names(value: object) -> Names | None:
    """Reads the argument `names` of a call: `Names`, a dict of their fields, or None.

    Raises:
        InputTypeError: Something else.
    """
    if value is None or isinstance(value, Names):
        return value
    known = [entry.name for entry in fields(Names)]
    if isinstance(value, Mapping) and set(value) <= set(known):
        return Names(**value)
    shown = f"a dict with {sorted(map(str, value))}" if isinstance(value, Mapping) else brief(value)
    raise InputTypeError(
        f"names is {shown}; expected polyattr.Names(...) or a dict of its fields: "
        f"{', '.join(known)}"
    )


def _items(name: str, value: Any, expected: str) -> list[Any]:
    single = isinstance(value, str | bytes | Mapping) or getattr(value, "shape", None) == ()
    if single or not isinstance(value, Iterable):
        raise InputTypeError(f"{name} is {brief(value)}; expected {expected}")
    return list(value)


def _texts(name: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(str(entry) for entry in _items(name, value, "a sequence of names"))


def _words(value: Any) -> tuple[tuple[str, ...], ...] | None:
    if value is None:
        return None
    each = enumerate(_items("names.tokens", value, "one sequence of words per sample"))
    return tuple(_texts(f"names.tokens[{i}]", one) or () for i, one in each)


def _classes(value: Any) -> dict[int, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        return dict(enumerate(_texts("names.classes", value) or ()))
    for index in value:
        if not isinstance(index, int | np.integer) or isinstance(index, bool):
            raise InputTypeError(f"names.classes has the key {index!r}; expected the class's index")
        if index < 0:
            raise InputError(f"names.classes has the key {index}; expected indices from 0")
    return {int(index): str(name) for index, name in value.items()}
