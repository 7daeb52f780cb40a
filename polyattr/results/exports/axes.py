"""What the axes of a result are called, and what stands along them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polyattr.question.structure import flatten
from polyattr.results.names import Names
from polyattr.results.record import Record

Array = np.ndarray[Any, Any]


class Axis(NamedTuple):
    """One axis of the values.

    Attributes:
        dim: What it is called.
        labels: Its entries, by name where they have names.
    """

    dim: str
    labels: list[Any]


def leaves(record: Record) -> list[tuple[str, Array, Array | None]]:
    """Returns name, values and standard errors of each input that has attributions.

    The name is "values" for a single input, and says which one it is among several.
    """
    structure, values = flatten(record.values, "values")
    errors = [None] * len(values)
    if record.standard_error is not None:
        errors = flatten(record.standard_error, "standard_error")[1]
    every = zip(structure.names, values, errors, strict=True)
    return [entry for entry in every if entry[1] is not None]


def outer(record: Record) -> list[Axis]:
    """Returns the axes in front: of targets, if there are several, and of samples."""
    names = record.names or Names()
    n = record.scores.shape[-1]
    samples = Axis("sample", list(range(n)) if names.rows is None else list(names.rows))
    if record.scores.ndim == 1:
        return [samples]
    return [Axis("target", targets(record)), samples]


def targets(record: Record) -> list[Any]:
    """Returns what each of several targets is called: its class, or its number."""
    asked, count = record.targets, record.scores.shape[0]
    if not isinstance(asked, np.ndarray) or asked.shape != record.scores.shape:
        return list(range(count))
    if asked.dtype.kind not in "iu" or not (asked == asked[:, :1]).all() or not asked.size:
        return list(range(count))
    return [_class(record, index) for index in asked[:, 0]]


def classes(record: Record) -> Array | None:
    """Returns the classes that were explained, by name where they have names; None without."""
    asked = record.targets
    if not isinstance(asked, np.ndarray) or asked.shape != record.scores.shape:
        return None
    if asked.dtype.kind not in "iu":
        return None
    named = [_class(record, index) for index in asked.ravel()]
    kind = object if record.names is not None and record.names.classes else asked.dtype
    return np.array(named, dtype=kind).reshape(asked.shape)


def _class(record: Record, index: Any) -> Any:
    known = record.names is not None and record.names.classes
    return record.names.class_name(index) if known and record.names else int(index)


def inner(record: Record, shape: tuple[int, ...]) -> list[Axis]:
    """Returns the axes of one sample of this shape."""
    names = record.names or Names()
    axes = [Axis(f"axis_{i + 1}", list(range(size))) for i, size in enumerate(shape)]
    if len(shape) == 1 and names.tokens is None:
        fitting = names.features is not None and len(names.features) == shape[0]
        return [Axis("feature", list(names.features or ()) if fitting else axes[0].labels)]
    if names.tokens is not None and all(len(words) == shape[0] for words in names.tokens):
        axes[0] = axes[0]._replace(dim="token")
    if names.channels is not None:
        places = [i for i in (0, len(shape) - 1) if shape[i] == len(names.channels)]
        if places and len(shape) > 1:
            axes[places[0]] = Axis("channel", list(names.channels))
    return axes
