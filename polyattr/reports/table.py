"""The table of all samples: what stands in its cells, and what they are sorted by."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.reports.distrust.checks import Check
from polyattr.reports.words import aim_of, number, part, signed_number
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        title: What stands above it.
        numbers: Whether it holds numbers.
        first: What a first click does: "ascending" or "descending".
        hint: What the numbers mean; "" where the title says it.
    """

    title: str
    numbers: bool = True
    first: str = "descending"
    hint: str = ""


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        text: What it says.
        key: What it is sorted by, where that is not its text; "" for what is not known.
    """

    text: str
    key: str | None = None


@dataclass(frozen=True)
class Row:
    """A row.

    Attributes:
        number: Which of the T * N maps it is.
        sample: Which of the N samples.
        name: What the sample is called, beside its number; "" where it has no name.
        cells: Behind the sample.
    """

    number: int
    sample: int
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Table:
    """All rows, and the columns behind that of the samples."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def table_of(result: Attribution, marks: list[list[Check]]) -> Table:
    """Makes the table of a result on the host.

    Args:
        result: The result.
        marks: What is to be distrusted in each of its maps.
    """
    facts = facts_of(result, marks)
    n, rows = result.scores.shape[-1], result.names.rows if result.names else None
    each = list(zip(*(cells for _, cells in facts), strict=True))
    return Table(
        tuple(column for column, _ in facts),
        tuple(
            Row(i, i % n, "" if rows is None else rows[i % n], cells)
            for i, cells in enumerate(each)
        ),
    )


def facts_of(
    result: Attribution, marks: list[list[Check]]
) -> list[tuple[Column, tuple[Cell, ...]]]:
    """Returns the columns, each with its cells (M,)."""
    count = result.scores.size
    aims = [aim_of(result, i) for i in range(count)]
    found = []
    if any(aims):
        title = "class" if _of_classes(result) else "target"
        found.append((Column(title, False, "ascending"), tuple(Cell(aim) for aim in aims)))
    found.append((Column("score", hint="f(x)"), _numbers(result.scores)))
    if result.baseline_scores is not None:
        found.append((Column("baseline", hint="f(b)"), _numbers(result.baseline_scores)))
    if result.completeness_gap is not None:
        hint = "sum of the values - (f(x) - f(b)); sorted by size"
        found.append((Column("gap", hint=hint), _gaps(result.completeness_gap)))
    hint = "of the map, relative to its magnitude"
    found.append((Column("error", hint=hint), _errors(result)))
    found.append((Column("evaluations", hint="of the gradient"), _numbers(result.evaluations)))
    if len(result.methods) > 1:
        cells = tuple(Cell(str(int(k) + 1)) for k in np.ravel(result.settings))
        found.append((Column("settings", True, "ascending", "their number, as below"), cells))
    if any(marks):
        column = Column("distrust", False, hint="sorted by how many")
        found.append((column, tuple(_marked(own) for own in marks)))
    return found


def _of_classes(result: Attribution) -> bool:
    targets = result.targets
    return isinstance(targets, np.ndarray) and targets.shape == result.scores.shape


def _numbers(array: Array) -> tuple[Cell, ...]:
    return tuple(Cell(_integer(v), _key(v)) for v in np.ravel(array).tolist())


def _integer(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else number(value)


def _gaps(array: Array) -> tuple[Cell, ...]:
    return tuple(Cell(signed_number(v), _key(abs(v))) for v in np.ravel(array).tolist())


def _errors(result: Attribution) -> tuple[Cell, ...]:
    return tuple(Cell(part(v), _key(v)) for v in np.ravel(result.error).tolist())


def _marked(own: list[Check]) -> Cell:
    return Cell(", ".join(check.short for check in own), str(len(own)))


def _key(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.7g}"
