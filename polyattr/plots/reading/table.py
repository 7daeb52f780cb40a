"""What stands around the maps of a comparison: captions, scores, gaps and errors."""

from __future__ import annotations

import numbers
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief
from polyattr.plots.reading.samples import Samples
from polyattr.plots.reading.words import shortened, target_of, texts_for
from polyattr.results.names import Names

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Table:
    """The columns of a comparison.

    Attributes:
        columns: Which samples.
        captions: What stands above each.
        targets: What the first method explained of each.
        scores: The score of each.
        wrong: (S,) whether the target is not the class that is right; None where that is not known.
    """

    columns: tuple[int, ...]
    captions: tuple[str, ...]
    targets: tuple[str, ...]
    scores: tuple[str, ...]
    wrong: Array | None

    def what(self, every: Samples) -> str:
        """Says what stands below the maps of a method."""
        result = every.result
        return (
            "" if result is None else "error" if result.completeness_gap is None else "gap (error)"
        )

    def exactness(self, every: Samples, i: int) -> tuple[str, bool]:
        """Returns what stands below the map of sample `i`, and whether that is as was asked."""
        result = every.result
        if result is None:
            return "", True
        error, gap = float(result.error.ravel()[i]), result.completeness_gap
        text = "exact" if error == 0 and gap is None else f"{error:.1%}"
        if np.isnan(error):
            text = "unknown"
        if gap is not None:
            text = f"{gap.ravel()[i]:+.3f} ({text})"
        target = target_of(result, i)
        if target != self.targets[self.columns.index(i)]:
            text = f"{target}: {text}"
        return text, bool(result.converged.ravel()[i] or np.isnan(error))


def read_table(
    rows: Sequence[tuple[str, Samples]], samples: Any, labels: Any, captions: Any, most: int
) -> Table:
    """Reads the columns; arguments are those of `compare`, `most` samples if they are not named.

    Raises:
        InputError: No such samples, or texts and labels that are more or fewer.
        InputTypeError: No numbers of samples, or no texts.
    """
    every = rows[0][1]
    columns = _columns(samples, len(every), most)
    result = every.result
    if result is None:
        raise InputTypeError("results hold plain arrays; expected attributions")
    targets = tuple(target_of(result, i) for i in columns)
    wrong, right = _wrong(labels, every, columns)
    texts = texts_for("captions", captions, len(columns), "sample")
    if texts is None:
        texts = targets
        if wrong is not None:
            pairs = zip(targets, wrong, right, strict=True)
            texts = tuple(
                f"{t.removeprefix('class ')}, is {name}" if off else t for t, off, name in pairs
            )
    scores = tuple(f"f(x) = {result.scores.ravel()[i]:.3g}" for i in columns)
    return Table(columns, texts, targets, scores, wrong)


def _columns(samples: Any, count: int, most: int) -> tuple[int, ...]:
    if samples is None:
        return tuple(range(min(count, most)))
    given = samples.tolist() if isinstance(samples, np.ndarray) else samples
    if not isinstance(given, list | tuple | range) or not all(
        isinstance(i, numbers.Integral) and not isinstance(i, bool) for i in given
    ):
        raise InputTypeError(f"samples is {brief(samples)}; expected numbers, such as [0, 5, 7]")
    if not given:
        raise InputError("samples is empty; expected at least one")
    for i in given:
        if not -count <= i < count:
            raise InputError(f"there is no sample {i}; expected one of {count}, from 0")
    return tuple(int(i) % count for i in given)


def _wrong(
    labels: Any, every: Samples, columns: tuple[int, ...]
) -> tuple[Array | None, tuple[str, ...]]:
    """Which samples have another target than their label, and what the labels are called."""
    if labels is None:
        return None, ()
    n = len(every) // every.targets
    known = np.asarray(labels)
    if known.shape != (n,) or known.dtype.kind not in "iu":
        raise InputError(
            f"labels have shape {known.shape} and dtype {known.dtype}; expected {n} classes, (N,) "
            f"whole numbers, one for each sample"
        )
    result = every.result
    targets = None if result is None else result.targets
    if (
        not isinstance(targets, np.ndarray)
        or targets.dtype.kind not in "iu"
        or (targets.size != len(every))
    ):
        raise InputError("labels are given, and the results are not of classes; expected no labels")
    names = every.names or Names()
    said, right = targets.ravel(), np.tile(known, every.targets)
    return (
        np.array([said[i] != right[i] for i in columns]),
        tuple(names.class_name(int(right[i])).removeprefix("class ") for i in columns),
    )


def in_lines(name: str, longest: int) -> list[str]:
    """Breaks a name too long for a margin before one of its words; shortens it if that is too."""
    starts = [match.start() for match in re.finditer(r"(?<=[a-z])[A-Z]|(?<=[ _])\w", name)]
    fitting = [at for at in starts if max(at, len(name) - at) <= longest]
    if len(name) <= longest or not fitting:
        return [shortened(name, longest)]
    return [name[: fitting[0]].rstrip(), name[fitting[0] :]]
