"""What the axes of an attribution are called: features, channels, classes, tokens, rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError

Shapes = Sequence[tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
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

    def __post_init__(self) -> None:
        for name in ("features", "channels", "rows"):
            self._keep(name, _texts(f"names.{name}", getattr(self, name)))
        self._keep("classes", _classes(self.classes))
        if self.tokens is not None:
            each = enumerate(_items("names.tokens", self.tokens, "one sequence per sample"))
            words = tuple(_texts(f"names.tokens[{i}]", one) or () for i, one in each)
            self._keep("tokens", words)

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return any(getattr(self, entry.name) is not None for entry in fields(self))

    def class_name(self, index: int) -> str:
        """Returns the name of a class, or "class 3" where it has none."""
        named = {} if self.classes is None else self.classes
        return named.get(int(index), f"class {int(index)}")

    def take(self, samples: Sequence[int]) -> Names:
        """Returns the names of some samples, by their positions."""
        tokens, rows = self.tokens, self.rows
        return replace(
            self,
            tokens=None if tokens is None else tuple(tokens[i] for i in samples),
            rows=None if rows is None else tuple(rows[i] for i in samples),
        )

    def over(self, others: Names | None) -> Names:
        """Returns these names, and where there are none those of `others`."""
        if others is None:
            return self
        own = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return replace(others, **{name: v for name, v in own.items() if v is not None})

    def check(self, shapes: Shapes, n: int) -> None:
        """Checks that as many are named as there are.

        Args:
            shapes: Of one sample of each input, without the axis of samples.
            n: Number of samples.

        Raises:
            InputError: More or fewer.
        """
        tables = [shape[0] for shape in shapes if len(shape) == 1]
        layered = [size for shape in shapes if len(shape) > 1 for size in (shape[0], shape[-1])]
        axes = (
            ("features", tables, "one for each feature of a table (N, F)"),
            ("channels", layered, "one for each entry of a sample's first or last axis"),
            ("rows", [n], "one for each sample"),
            ("tokens", [n], "one sequence of words for each sample"),
        )
        for name, sizes, expected in axes:
            given = getattr(self, name)
            if given is not None and len(given) not in sizes:
                raise InputError(
                    f"names.{name} has {len(given)} entries for {n} samples of shape "
                    f"{_shown(shapes)}; expected {expected}"
                )
        self._check_words(shapes)

    def _check_words(self, shapes: Shapes) -> None:
        lengths = {shape[0] for shape in shapes if shape}
        for i, words in enumerate(self.tokens or ()):
            if len(words) not in lengths:
                raise InputError(
                    f"names.tokens[{i}] has {len(words)} words for a sample of shape "
                    f"{_shown(shapes)}; expected one for each entry of its first axis, those of "
                    f"padding and of marks such as [CLS] included"
                )

    def to_json(self) -> dict[str, Any]:
        """Returns what `from_json` reads: what is named, in lists and dicts of texts."""
        known = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return {name: value for name, value in known.items() if value is not None}

    @classmethod
    def from_json(cls, value: Any) -> Names:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: Something else was written.
        """
        known = {entry.name for entry in fields(cls)}
        if not isinstance(value, dict) or not all(_are_texts(name, value[name]) for name in value):
            raise ValueError("its names are not texts")
        classes = value.get("classes")
        if classes is not None:  # the keys of JSON are texts
            value = value | {"classes": {int(index): name for index, name in classes.items()}}
        return cls(**{name: part for name, part in value.items() if name in known})


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
    shown = f"a dict with {sorted(map(str, value))}" if isinstance(value, Mapping) else repr(value)
    raise InputTypeError(
        f"names is {shown}; expected polyattr.Names(...) or a dict of its fields: "
        f"{', '.join(known)}"
    )


def _items(name: str, value: Any, expected: str) -> list[Any]:
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        raise InputTypeError(f"{name} is {value!r}; expected {expected}")
    return list(value)


def _texts(name: str, value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    return tuple(str(entry) for entry in _items(name, value, "a sequence of names"))


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


def _are_texts(name: str, value: Any) -> bool:
    if name == "classes":
        items = value.items() if isinstance(value, dict) else [(None, None)]
        return all(isinstance(v, str) and str(k).isdecimal() for k, v in items)
    if name == "tokens":
        return isinstance(value, list) and all(_are_texts("", words) for words in value)
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _shown(shapes: Shapes) -> str:
    return " and ".join(map(str, shapes))
