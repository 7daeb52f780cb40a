"""The samples that are drawn, each with its numbers and its pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.reports.distrust.checks import Check
from polyattr.reports.pictures.drawings import SLOW
from polyattr.reports.pictures.picture import Picture, Pictures
from polyattr.reports.reading import Part
from polyattr.reports.table import Cell, Column, Table
from polyattr.reports.words import aim_of, counted, number, sample_of
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]

_PICTURES = 1_650_000
"""Bytes of all pictures together; as text they take a third more."""
_MOST, _LEAST = 200, 8
"""Maps that are drawn where nobody says which samples, and the least of them."""
_SLOW = 60
"""The most of them where each is a figure of matplotlib: they take a quarter of a second."""
_WORDS = 24_000
"""Words of all texts together: each takes some seventy bytes."""


@dataclass(frozen=True)
class Map:
    """One map of a sample, with its numbers.

    Attributes:
        number: Which of the T * N maps it is.
        aim: What was explained; "" where the score has no name.
        facts: Its numbers: the columns of the table, and its cells.
        pictures: One for each input.
        errors: What is known of how exact its values are, in a sentence.
        doubts: What is to be distrusted.
    """

    number: int
    aim: str
    facts: tuple[tuple[Column, Cell], ...]
    pictures: tuple[Picture, ...]
    errors: str
    doubts: tuple[Check, ...]


@dataclass(frozen=True)
class Card:
    """A sample that is drawn.

    Attributes:
        sample: Its number.
        name: What it is called, beside its number; "" where it has no name.
        maps: One for each target.
    """

    sample: int
    name: str
    maps: tuple[Map, ...]


def chosen_samples(
    result: Attribution, parts: list[Part], samples: Array | None
) -> tuple[list[int], str]:
    """Returns which samples are drawn, in their order, and the sentence that says so.

    Args:
        result: The result.
        parts: Its inputs.
        samples: (K,) what the user asked for, or None.
    """
    n = len(result)
    if samples is not None:
        chosen = list(dict.fromkeys(int(k) for k in samples))
        return chosen, f"Drawn are the {counted(len(chosen), 'sample')} that were asked for."
    each = max(1, result.scores.size // n) * len(parts)
    words = sum(p.shape[0] for p in parts if p.kind == "text") * max(1, result.scores.size // n)
    most = min(_MOST // each, _WORDS // words if words else _MOST)
    if any(p.kind in SLOW for p in parts):
        most = min(most, _SLOW // each)
    most = max(1, min(_LEAST, 2 * _MOST // each), most)
    if n <= most:
        return list(range(n)), ""
    order = [int(k) for k in result._order(result.error, largest_first=True)]
    best = most // 4
    said = f"the {most - best} with the largest and the {best} with the smallest error"
    if len({*np.ravel(result.error).tolist()}) == 1:
        best, said = 0, f"the first {most}, since all have the same error"
    chosen = sorted(order[: most - best] + order[n - best :])
    return chosen, (
        f"Of {n:,} samples {said} are drawn; the table has them all. samples= draws others."
    )


def cards_of(
    result: Attribution,
    parts: list[Part],
    table: Table,
    marks: list[list[Check]],
    drawn: list[int],
) -> list[Card]:
    """Draws the samples.

    Args:
        result: The result.
        parts: Its inputs.
        table: Has the numbers.
        marks: What is to be distrusted in each of its maps.
        drawn: Which samples.
    """
    n = len(result)
    targets = result.scores.size // n
    every = [t * n + k for k in drawn for t in range(targets)]
    painters = [Pictures(part, every, _PICTURES // len(parts)) for part in parts]

    def made(i: int) -> Map:
        called = f"sample {sample_of(result, i)}"
        called += f" for {aim_of(result, i)}" if aim_of(result, i) else ""
        facts = zip(table.columns, table.rows[i].cells, strict=True)
        shown = tuple(painter.of(i, called) for painter in painters)
        known = tuple((c, cell) for c, cell in facts if c.title not in {"class", "distrust"})
        doubts = tuple(marks[i])
        return Map(i, aim_of(result, i), known, shown, _exactness(result, parts, i), doubts)

    return [
        Card(k, table.rows[k].name, tuple(made(t * n + k) for t in range(targets))) for k in drawn
    ]


def _exactness(result: Attribution, parts: list[Part], i: int) -> str:
    """Says how exact the values of a map are."""
    error = float(result.error.ravel()[i])
    errors = [e for p in parts if (e := p.one(i).errors) is not None]
    flat = np.concatenate([e.ravel() for e in errors]) if errors else np.zeros(0)
    flat = flat[np.isfinite(flat)]
    if not flat.size:
        if error == 0 and result.completeness_gap is None:
            return "The gradient is exact: no error."
        return "No error of the single values is known."
    if not flat.any():
        return "The standard error of each value is 0."
    return (
        f"Standard errors of the values: median {number(float(np.median(flat)))}, "
        f"largest {number(float(flat.max()))}."
    )
