"""What rows told, kept on the device until the answer needs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from polyattr.engine.plan.cut import Cut
from polyattr.engine.sums.report import Measured, Report, joined_sizes, read_all
from polyattr.sampling.errors.course import Course, Walk
from polyattr.sampling.errors.norm import Weights
from polyattr.sampling.recipe import Recipe
from polyattr.sampling.rows import Rows, Told, joined

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Reading:
    """What is made of what the rows of a table tell.

    Attributes:
        sample: (R,) the sample of each row.
        factor: (R,) what its slope counts for in the integral.
        hits: (H,) rows that are the input itself.
    """

    sample: Array
    factor: Array
    hits: Array

    @classmethod
    def of(cls, recipe: Recipe, rows: Rows[Array], weights: Weights) -> Reading:
        """Finds it out from the table and the weights of its parts."""
        value, part = weights.value, rows.part
        of_part = value[part] if value.ndim == 1 else value[rows.sample, part]
        hits = np.flatnonzero(recipe.at_input(rows))
        return cls(rows.sample, of_part * rows.weight, hits)


@dataclass
class Entry:
    """The log of one table of rows.

    Attributes:
        rows: The table; samples are numbered within their block.
        told: Their scores and slopes, on the host when looked at.
        reading: What is made of them, where that was found out before.
    """

    rows: Rows[Array]
    told: Told
    reading: Reading | None = None


def entry_of(made: Cut, log: Callable[[], Array], reading: Reading | None = None) -> Entry:
    """Notes what the rows of a table told: the `log` has it, (2, C) scores and slopes."""
    position = made.position  # not the rest of it, which is large

    def read() -> tuple[Array, Array]:
        scores, slopes = log()[:, position]
        return scores, slopes

    return Entry(made.rows, Told(read), reading)


def told(entries: list[Entry]) -> Told:
    """Joins what tables told."""
    if len(entries) == 1:
        return entries[0].told

    def read() -> tuple[Array, Array]:
        both = [(known.told.scores, known.told.slopes) for known in entries]
        return np.concatenate([s for s, _ in both]), np.concatenate([s for _, s in both])

    return Told(read)


_MOST_PENDING = 2**18
"""Rows told of that may stay on the device before they are read: memory must not grow with N."""


class _Pending(NamedTuple):
    """What is not read yet of a block.

    Attributes:
        first: Its first sample.
        entries: Its tables, or the last ones.
        weights: Of the parts.
        walk: Has followed the tables before; None where there were none.
    """

    first: int
    entries: list[Entry]
    weights: Weights
    walk: Walk | None


@dataclass
class Ledger:
    """What all rows of one run told, per sample.

    Attributes:
        n: Number of samples.
        recipe: Says which rows are the input itself.
        spent: (N,) gradient evaluations spent on each sample.
        bad: Samples with a gradient that is not finite, and a row where it is not.
    """

    n: int
    recipe: Recipe
    spent: Array = field(init=False)
    bad: dict[int, tuple[Rows[Array], int]] = field(default_factory=dict)
    _pending: list[_Pending] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.spent = np.zeros(self.n, dtype=np.int64)
        self._slope = np.zeros(self.n)
        self._scores = np.zeros(self.n)
        self._at_input = np.zeros(self.n, dtype=bool)
        self._courses: list[Course | None] = []
        self._reports: list[tuple[Report, int]] = []
        self._measured: list[Measured] = []
        self._blocks = 0

    def add(
        self,
        first: int,
        spent: Array,
        entries: list[Entry],
        weights: Weights,
        reports: Sequence[Report] = (),
        walk: Walk | None = None,
    ) -> None:
        """Adds a block that begins with sample `first`; `spent` has the samples that are there.

        `walk` is the one that `early` was given, if it was for this block.
        """
        self.spent[first : first + len(spent)] += spent
        self._pending.append(_Pending(first, entries, weights, walk))
        self._blocks += 1
        self._reports += [(report, len(spent)) for report in reports]
        if sum(len(known.rows) for part in self._pending for known in part.entries) > _MOST_PENDING:
            self.read()

    def early(self, first: int, known: Entry, weights: Weights, walk: Walk) -> None:
        """Reads a table of a block that begins with sample `first` before the last of them ran."""
        self._read(first, known, weights)
        walk.add(known.told.scores, known.told.slopes)

    def read(self) -> None:
        """Reads what is still on the device."""
        read_all([report for report, _ in self._reports])
        for first, entries, weights, walk in self._pending:
            if walk is not None:
                for known in entries:
                    self.early(first, known, weights, walk)
                self._courses.append(walk.course())
                continue
            for known in entries:
                self._read(first, known, weights)
            rows = entries[0].rows if len(entries) == 1 else joined([e.rows for e in entries])
            self._courses.append(self.recipe.course(rows, told(entries)))
        self._pending.clear()
        self._measured += [report.measured(live) for report, live in self._reports]
        self._reports.clear()

    def _read(self, first: int, known: Entry, weights: Weights) -> None:
        rows, told = known.rows, known.told
        reading = known.reading or Reading.of(self.recipe, rows, weights)
        sample = first + reading.sample if first else reading.sample
        finite = np.isfinite(told.slopes)
        if not finite.all():
            for row in np.flatnonzero(~finite):
                self.bad.setdefault(int(sample[row]), (rows, int(row)))
        np.add.at(self._slope, sample, reading.factor * told.slopes.astype(np.float64))
        if len(reading.hits):
            at = sample[reading.hits]
            self._scores[at], self._at_input[at] = told.scores[reading.hits], True

    @property
    def scores(self) -> Array | None:
        """f(x) (N,) from rows that are the input; None where a sample has none."""
        return self._scores if self._at_input.all() else None

    @property
    def measured(self) -> Measured | None:
        """Sizes of all maps; None where blocks did not tell them."""
        known = self._measured
        return joined_sizes(known) if known and len(known) == self._blocks else None

    @property
    def course(self) -> Course | None:
        """How the scores of all samples go along their paths; None where nobody knows."""
        known = [each for each in self._courses if each is not None]
        if not known or len(known) < len(self._courses):
            return None
        if len(known) == 1:
            return known[0]
        return Course(*(np.concatenate(parts) for parts in zip(*known, strict=True)))

    @property
    def slope(self) -> Array:
        """W . slope (N,): the integral of the gradient times velocity."""
        return self._slope
