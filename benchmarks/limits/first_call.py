"""The first call of a process, which compiles: of polyattr, and of one bare gradient."""

from __future__ import annotations

import time
from typing import Any

from limits.frameworks import bare, models
from limits.limit import Limit
from limits.planned import tile_rows
from limits.ways import explainer
from limits.workloads import Cell, inputs, targets

EXPLAIN = "explain"


def ways(framework: str) -> list[str]:
    """Names polyattr's first call and the framework's ways; of bare gradients one is enough each.

    Channels last is left out: it is there for speed once warm.
    """
    return [
        EXPLAIN,
        *{"torch": ["plain"], "jax": ["jit"], "tensorflow": ["graph", "xla"]}[framework],
    ]


def seconds(framework: str, cell: Cell, way: str) -> float:
    """Returns the seconds of the first call, made in a process that has made none yet."""
    if way == EXPLAIN:
        return _explained(framework, cell)
    module = bare(framework)
    rows = tile_rows(framework, cell)
    gradient = module.gradients(cell.model)[way]
    limit = Limit(way, rows, rows, gradient, module, cell.model).prepare()
    before = time.perf_counter()
    limit.once()
    return time.perf_counter() - before


def _explained(framework: str, cell: Cell) -> float:
    model: Any = models(framework).build(cell.model)
    x = models(framework).native(inputs(cell.model, cell.samples))
    classes, wait = targets(cell.model, cell.samples), bare(framework).wait
    before = time.perf_counter()
    wait(explainer(framework, cell, model).explain(x, classes))
    return time.perf_counter() - before


def combined(found: dict[str, list[float]]) -> dict[str, Any]:
    """Writes down the seconds of all ways and the least of the bare ones' medians."""
    middle = {way: sorted(times)[len(times) // 2] for way, times in found.items()}
    least = min(took for way, took in middle.items() if way != EXPLAIN)
    return {"seconds": found, "ratio": middle[EXPLAIN] / least}
