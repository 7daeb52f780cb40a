"""What the axes of a result are called, and what stands along them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polyattr.question.structure import flatten
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


def named(record: Record, what: str) -> tuple[Any, ...] | None:
    """Returns what some entries are called, or None."""
    names: tuple[Any, ...] | None = getattr(record.names, what, None)
    return names


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
    n, rows = record.scores.shape[-1], named(record, "rows")
    samples = Axis("sample", list(range(n) if rows is None else rows))
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
    called = [_class(record, index) for index in asked.ravel()]
    kind = object if named(record, "classes") else asked.dtype
    return np.array(called, dtype=kind).reshape(asked.shape)


def _class(record: Record, index: Any) -> Any:
    if record.names is None or not record.names.classes:
        return int(index)
    return record.names.class_name(index)


def inner(record: Record, shape: tuple[int, ...]) -> list[Axis]:
    """Returns the axes of one sample of this shape."""
    features, tokens = named(record, "features"), named(record, "tokens")
    channels = named(record, "channels")
    axes = [Axis(f"axis_{i + 1}", list(range(size))) for i, size in enumerate(shape)]
    if len(shape) == 1 and tokens is None:
        fitting = features is not None and len(features) == shape[0]
        return [Axis("feature", list(features) if features and fitting else axes[0].labels)]
    if tokens is not None and all(len(words) == shape[0] for words in tokens):
        axes[0] = axes[0]._replace(dim="token")
    if channels is not None and len(shape) > 1:
        places = [i for i in (0, len(shape) - 1) if shape[i] == len(channels)]
        if places:
            axes[places[0]] = Axis("channel", list(channels))
    return axes
