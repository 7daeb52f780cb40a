"""Does the time of Integrated Gradients grow with N x steps alone, and memory not at all?"""

from __future__ import annotations

import statistics
from typing import Any

from limits.frameworks import bare, models
from limits.limit import best, limits, repeated
from limits.peak_memory import mib
from limits.ways import explainer
from limits.workloads import Cell, inputs, targets

LETTER, METHOD = "T", "IntegratedGradients"
FIXED_STEPS, FIXED_SAMPLES = 50, 20
SAMPLES = (2, 6, 20, 60, 200, 600, 2000)
STEPS = (5, 16, 50, 160, 500, 1600, 5000)
"""Both from 100 to 100,000 rows."""

LEAST_CALLS = 3


def points(samples: tuple[int, ...] = SAMPLES, steps: tuple[int, ...] = STEPS) -> list[Cell]:
    """Returns what is measured: growing numbers of samples, then growing numbers of steps."""
    growing = [Cell(LETTER, n, METHOD, FIXED_STEPS) for n in samples]
    return [*growing, *(Cell(LETTER, FIXED_SAMPLES, METHOD, count) for count in steps)]


def timed(framework: str, cell: Cell, seconds: float) -> dict[str, Any]:
    """Times a point, and the bare gradients of as many rows."""
    x = models(framework).native(inputs(LETTER, cell.samples))
    classes = targets(LETTER, cell.samples)
    method, wait = explainer(framework, cell), bare(framework).wait
    rows = int(method.attribute(x, classes).evaluations.sum())

    def explain() -> None:
        wait(method.explain(x, classes))

    (limit, *_), _ = best(limits(framework, LETTER, rows), seconds / 10)
    found: dict[str, list[float]] = {"explain": [], "limit": []}
    for call in (explain, limit):
        call()
    for _ in range(LEAST_CALLS):
        found["explain"] += repeated(explain, seconds / LEAST_CALLS)
        found["limit"] += repeated(limit, seconds / LEAST_CALLS)
    return {
        "samples": cell.samples,
        "steps": cell.steps,
        "rows": rows,
        **{name: statistics.median(times) for name, times in found.items()},
    }


def held(framework: str, cell: Cell) -> float:
    """Returns the memory of a point in MiB, in a process that has done nothing else."""
    return mib(framework, cell, "explain")
