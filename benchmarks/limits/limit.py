"""The limit: so many rows of bare gradients, at the number of rows per call that is fastest."""

from __future__ import annotations

import itertools
import statistics
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from limits.frameworks import Bare, Gradient, bare
from limits.workloads import MODELS, inputs, targets

PREPARED_MIB = 64
"""Most memory of prepared rows: longer runs see the same rows several times."""

PENDING = 4
"""Gradients that may be under way at once, where a framework computes behind its caller."""

FREE_MIB = 4096
"""What a call may take while it computes."""

FINALISTS, REPEATS, LEAST_CALLS = 3, 3, 2
"""Of the ramp: how many are tried again, how often, and the least calls each time."""


def sizes(rows: int, tile: int) -> list[int]:
    """Splits rows into the fewest calls of at most `tile`, as equal as can be."""
    calls = -(-rows // tile)
    return [rows // calls + (number < rows % calls) for number in range(calls)]


@dataclass
class Limit:
    """All rows of a question as bare gradients.

    Args:
        way: Which of the framework's ways.
        tile: Most rows per call.
        rows: All rows.
        gradient: The way itself.
        bare: The framework's module.
        letter: The model.
    """

    way: str
    tile: int
    rows: int
    gradient: Gradient
    bare: Bare
    letter: str
    _parts: list[tuple[Any, Any]] = field(default_factory=list, init=False)

    def prepare(self, most: int | None = None) -> Limit:
        """Draws the rows of all calls, or of the first `most` of them."""
        wanted = sizes(self.rows, self.tile)[:most]
        mib = MODELS[self.letter].elements * 4 / 2**20
        kept = max(2, int(PREPARED_MIB / (mib * max(wanted))))
        drawn: dict[tuple[int, int], tuple[Any, Any]] = {}
        self._parts = []
        for number, size in enumerate(wanted):
            key = (size, number % kept)
            if key not in drawn:
                x, classes = inputs(self.letter, size), targets(self.letter, size)
                # As on a path: what is explained, scaled down.
                scaled = x * np.float32((number % kept + 1) / kept)
                drawn[key] = (self.bare.rows(self.way, scaled), self.bare.classes(classes))
            self._parts.append(drawn[key])
        return self

    def __call__(self) -> None:
        """Takes all gradients."""
        pending: deque[Any] = deque()
        for rows, classes in self._parts:
            pending.append(self.gradient(rows, classes))
            if len(pending) > PENDING:
                self.bare.wait(pending.popleft())
        for gradient in pending:
            self.bare.wait(gradient)

    def once(self) -> None:
        """Takes the gradients of the first call alone."""
        self.bare.wait(self.gradient(*self._parts[0]))


def tiles(letter: str, rows: int) -> list[int]:
    """Returns the rows per call that are tried: those of the model, and all in one call."""
    model = MODELS[letter]
    fitting = [tile for tile in model.tiles if tile * model.row_mib <= FREE_MIB]
    return sorted({min(rows, tile) for tile in fitting})


def limits(framework: str, letter: str, rows: int, tried: Sequence[int] = ()) -> list[Limit]:
    """Returns all ways at all numbers of rows per call."""
    module = bare(framework)
    return [
        Limit(way, tile, rows, gradient, module, letter)
        for way, gradient in module.gradients(letter).items()
        for tile in (tried or tiles(letter, rows))
    ]


def best(candidates: Sequence[Limit], seconds: float) -> tuple[list[Limit], dict[str, float]]:
    """Finds the fastest in a short ramp.

    Args:
        candidates: What is tried.
        seconds: To spend on each of them, about.

    Returns:
        The two fastest, ready to be called, and the microseconds a row took with each.
    """
    found = {id(one): _per_row(one, seconds) for one in candidates}
    order = sorted(candidates, key=lambda one: found[id(one)])
    if len(order) > 1:
        # One lucky moment must not decide: the first few once more, in turn.
        again = order[:FINALISTS]
        turns = [(one, _per_row(one, seconds)) for _ in range(REPEATS) for one in again]
        for one in again:
            found[id(one)] = statistics.median(took for other, took in turns if other is one)
        order = sorted(again, key=lambda one: found[id(one)])
    named = {f"{one.way} {one.tile}": 1e6 * found[id(one)] for one in candidates}
    return [one.prepare() for one in order[:2]], named


def _per_row(limit: Limit, seconds: float) -> float:
    """Returns the least seconds a row took in calls of equal size."""
    limit.prepare(1)
    limit.once()
    took = repeated(limit.once, seconds, LEAST_CALLS)
    return min(took) / sizes(limit.rows, limit.tile)[0]


def repeated(function: Callable[[], Any], seconds: float, least: int = 1) -> list[float]:
    """Calls a function again and again for about so long, and returns the seconds of each call."""
    took: list[float] = []
    for number in itertools.count():
        if number >= least and sum(took) >= seconds:
            return took
        before = time.perf_counter()
        function()
        took.append(time.perf_counter() - before)
    raise AssertionError  # never reached: the count does not end
