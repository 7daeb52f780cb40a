"""Errors and gaps of all rows, added up shard by shard."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.datasets.summaries import buckets

Array = np.ndarray[Any, Any]

_NAMED = 10


@dataclass
class Totals:
    """What is known of the finished shards together.

    Attributes:
        rows: In them.
        last: Number of the row after the last of them.
        shards: How many they are.
        made: How many of them were made by this call.
        again: How many of those replace damaged ones.
        unconverged: Rows whose error is above the tolerance.
        not_finite: Rows whose map is not finite.
        not_finite_ids: Some of their ids.
        evaluations: Gradient evaluations spent.
        seconds: Spent by all processes together.
        largest: Of "error" and "gap" the largest, and the id of its row.
        spec: What the columns hold.
        facts: What they were made with.
    """

    rows: int = 0
    last: int = 0
    shards: int = 0
    made: int = 0
    again: int = 0
    unconverged: int = 0
    not_finite: int = 0
    not_finite_ids: list[Any] = field(default_factory=list)
    evaluations: int = 0
    seconds: float = 0.0
    largest: dict[str, list[Any]] = field(default_factory=dict)
    spec: Any = None
    facts: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, tuple[Array, Array]] = field(default_factory=dict)

    def add(self, record: dict[str, Any], *, made: bool) -> None:
        """Adds a shard; those of several do not depend on their order."""
        told = record["report"]
        self.rows += told["rows"]
        self.last = max(self.last, record["rows"][1])
        self.shards += 1
        self.made += made
        self.spec, self.facts = record["spec"], record["facts"]
        for name in ("unconverged", "not_finite", "evaluations", "seconds"):
            setattr(self, name, getattr(self, name) + told[name])
        ids = sorted([*self.not_finite_ids, *told["not_finite_ids"]], key=str)
        self.not_finite_ids = ids[:_NAMED]
        for name in ("error", "gap"):
            places, counts = (np.array(part, np.int64) for part in told[name])
            before = self.counts.get(name, (places[:0], counts[:0]))
            self.counts[name] = buckets.add(before, (places, counts))
            largest = told.get(f"largest_{name}")
            known = self.largest.get(name)
            if largest is not None and (
                known is None or (-largest[0], str(largest[1])) < (-known[0], str(known[1]))
            ):
                self.largest[name] = largest

    def at(self, name: str, share: float) -> float:
        """The error or gap that this share of all rows does not exceed, to a relative 1 %."""
        places, counts = self.counts.get(name, (np.empty(0, np.int64), np.empty(0, np.int64)))
        if not len(places):
            return float("nan")
        reached = np.searchsorted(np.cumsum(counts), share * counts.sum())
        return float(buckets.middles(places)[min(reached, len(places) - 1)])

    def in_short(self) -> str:
        """A few words, for a bar."""
        error = self.largest.get("error")
        return f"largest error {error[0]:.2g}" if error else ""

    def lines(self) -> list[str]:
        """What there is to tell of errors and gaps."""
        above = f"{self.unconverged:,} rows above {self.facts.get('tolerance', 0.05):g} or unknown"
        told = []
        for name, called, more in (("error", "error", f"; {above}"), ("gap", "|gap|", "")):
            if name in self.largest:
                largest, row = self.largest[name]
                half, most = self.at(name, 0.5), self.at(name, 0.99)
                told.append(
                    f"{called}: median {half:.2g}, 99 % below {most:.2g}, "
                    f"largest {largest:.3g} (id {row}){more}"
                )
        if self.not_finite:
            ids = ", ".join(map(str, self.not_finite_ids))
            more = ", ..." if self.not_finite > len(self.not_finite_ids) else ""
            told.append(
                f"not finite, and marked with NaN: {self.not_finite:,} rows (id {ids}{more})"
            )
        each = 1e6 * self.seconds / max(self.rows, 1)
        told.append(f"{self.evaluations:,} gradient evaluations, {each:.3g} microseconds per row")
        return told
