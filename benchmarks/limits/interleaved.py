"""Times all ways of a cell in one process, in turn, so that a busier moment slows them all."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from limits.limit import best, limits, repeated
from limits.ways import Call, peer_ways, polyattr_ways
from limits.workloads import Cell

LIMIT = "limit"

PATIENCE = 20
"""Seconds: what took longer when it was called to warm up has a single turn."""


@dataclass(frozen=True)
class Asked:
    """How a cell is measured.

    Attributes:
        rounds: How often each way has its turn.
        seconds: How long a turn is, about; a call that takes longer is one turn.
        ramp: Seconds for each number of rows per call that the limit, or a peer, is tried with.
        peers: Whether peers are measured.
    """

    rounds: int = 7
    seconds: float = 0.3
    ramp: float = 0.15
    peers: bool = True


def measure(framework: str, cell: Cell, asked: Asked) -> dict[str, Any]:
    """Measures a cell.

    Returns:
        The facts of the cell: milliseconds of each way in each round, the median and the spread of
        their per-round ratios to the limit, how the limit was reached, and what is missing.
    """
    started = time.perf_counter()
    ways, rows = polyattr_ways(framework, cell)
    finalists, ramp = best(limits(framework, cell.model, rows), asked.ramp)
    peers, missing = peer_ways(framework, cell, asked.ramp, asked.peers)
    candidates = {f"{LIMIT} {number}": limit for number, limit in enumerate(finalists)}
    took = rounds({**candidates, **ways, **peers}, asked)
    # The ramp is short, and may have been disturbed: the limit is what was faster in the end.
    times = {name: took.pop(name) for name in candidates}
    name = min(times, key=lambda name: statistics.median(times[name]))
    limit, took = candidates[name], {LIMIT: times[name], **took}
    return {
        "rows": rows,
        "limit": {"way": limit.way, "tile": limit.tile, "microseconds_per_row": ramp},
        "milliseconds": took,
        "ratios": ratios(took),
        "missing": missing,
        "seconds_measured": time.perf_counter() - started,
    }


def rounds(ways: Mapping[str, Call], asked: Asked) -> dict[str, list[float]]:
    """Returns the milliseconds of each way in each round: the median of the calls of its turn."""
    slow = {name for name, call in ways.items() if repeated(call, 0)[0] > PATIENCE}
    took: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for number in range(asked.rounds):
        # Whoever comes after a heavy neighbour finds other caches: each round another one does.
        first = number % len(names)
        for name in names[first:] + names[:first]:
            if number and name in slow:
                continue
            gc.collect()
            found = repeated(ways[name], asked.seconds)
            took[name].append(1000 * statistics.median(found))
    return took


def ratios(took: Mapping[str, list[float]]) -> dict[str, dict[str, float]]:
    """Returns median, least and most of the ratio to the limit, over the rounds, of each way."""
    found = {}
    for name, times in took.items():
        if name != LIMIT:
            pairs = [one / least for one, least in zip(times, took[LIMIT], strict=False)]
            middle = statistics.median(pairs)
            found[name] = {"median": middle, "least": min(pairs), "most": max(pairs)}
    return found
