"""Names cut, joined, checked against shapes, and written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, replace
from itertools import chain
from typing import Any

from polyattr.errors import InputError, brief
from polyattr.results.names import Names

Shapes = Sequence[tuple[int, ...]]


def take(names: Names, samples: Sequence[int]) -> Names:
    """Returns the names of some samples, by their positions."""
    tokens, rows = names.tokens, names.rows
    return replace(
        names,
        tokens=None if tokens is None else tuple(tokens[i] for i in samples),
        rows=None if rows is None else tuple(rows[i] for i in samples),
    )


def over(names: Names, others: Names | None) -> Names:
    """Returns `names`, and where there are none those of `others`."""
    if others is None:
        return names
    own = {entry.name: getattr(names, entry.name) for entry in fields(names)}
    return replace(others, **{name: v for name, v in own.items() if v is not None})


def joined(parts: Sequence[Names | None]) -> Names | None:
    """Joins the names of the results of several batches.

    Raises:
        InputError: Their features, channels or classes are called otherwise.
    """
    known = [part or Names() for part in parts]
    first = known[0]
    for number, part in enumerate(known):
        for name in ("features", "channels", "classes"):
            here, there = getattr(part, name), getattr(first, name)
            if here != there:
                raise InputError(
                    f"the {name} of batch {number + 1} of the dataset are called {brief(here)},"
                    f" those of the first {brief(there)}; expected the same in the same order"
                )
    whole = replace(
        first,
        tokens=_end_to_end([part.tokens for part in known]),
        rows=_end_to_end([part.rows for part in known]),
    )
    return whole if whole else None


def fitting(names: Names, shapes: Shapes, n: int) -> Names:
    """Returns the names that are as many as there are; `check` has the arguments."""
    found = Names()
    for entry in fields(names):
        alone = Names(**{entry.name: getattr(names, entry.name)})
        with suppress(InputError):
            check(alone, shapes, n)
            found = over(alone, found)
    return found


def check(names: Names, shapes: Shapes, n: int) -> None:
    """Checks that as many are named as there are.

    Args:
        names: Of the result.
        shapes: Of one sample of each input, without the axis of samples.
        n: Number of samples.

    Raises:
        InputError: More or fewer.
    """
    # Interactions of features have two axes of them.
    tables = [shape[0] for shape in shapes if len(shape) == 1 or _is_square(shape)]
    layered = [size for shape in shapes if len(shape) > 1 for size in (shape[0], shape[-1])]
    axes = (
        ("features", tables, "one for each feature of a table (N, F)"),
        ("channels", layered, "one for each entry of a sample's first or last axis"),
        ("rows", [n], "one for each sample"),
        ("tokens", [n], "one sequence of words for each sample"),
    )
    for name, sizes, expected in axes:
        given = getattr(names, name)
        if given is not None and len(given) not in sizes:
            raise InputError(
                f"names.{name} has {len(given)} entries for {n} samples of shape "
                f"{_shown(shapes)}; expected {expected}"
            )
    _check_words(names, shapes)


def _check_words(names: Names, shapes: Shapes) -> None:
    lengths = {shape[0] for shape in shapes if shape}
    for i, words in enumerate(names.tokens or ()):
        if len(words) not in lengths:
            raise InputError(
                f"names.tokens[{i}] has {len(words)} words for a sample of shape "
                f"{_shown(shapes)}; expected one for each entry of its first axis, those of "
                f"padding and of marks such as [CLS] included"
            )


def to_json(names: Names) -> dict[str, Any]:
    """Returns what `from_json` reads: what is named, in lists and dicts of texts."""
    known = {entry.name: getattr(names, entry.name) for entry in fields(names)}
    return {name: value for name, value in known.items() if value is not None}


def from_json(value: Any) -> Names:
    """Reads what `to_json` wrote.

    Raises:
        ValueError: Something else was written.
    """
    if not isinstance(value, dict):
        raise ValueError("its names are not texts")
    known = {entry.name: value[entry.name] for entry in fields(Names) if entry.name in value}
    if not all(_are_texts(name, part) for name, part in known.items()):
        raise ValueError("its names are not texts")
    if "classes" in known:  # the keys of JSON are texts
        known["classes"] = {int(index): name for index, name in known["classes"].items()}
    return Names(**known)


def _are_texts(name: str, value: Any) -> bool:
    if name == "classes":
        items = value.items() if isinstance(value, dict) else [(None, None)]
        return all(isinstance(v, str) and str(k).isdecimal() for k, v in items)
    if name == "tokens":
        return isinstance(value, list) and all(_are_texts("", words) for words in value)
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _is_square(shape: tuple[int, ...]) -> bool:
    return len(shape) == 2 and shape[0] == shape[1]


def _end_to_end(parts: Sequence[tuple[Any, ...] | None]) -> tuple[Any, ...] | None:
    known = [part for part in parts if part is not None]
    return tuple(chain.from_iterable(known)) if len(known) == len(parts) else None


def _shown(shapes: Shapes) -> str:
    return " and ".join(map(str, shapes))
