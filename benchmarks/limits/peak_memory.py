"""Peak memory above the loaded model, of a call of polyattr or of one bare gradient."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from limits.first_call import EXPLAIN
from limits.frameworks import bare, models
from limits.limit import Limit
from limits.planned import tile_rows
from limits.ways import explainer
from limits.workloads import Cell, inputs, targets
from measured_process import peak

CELLS = (("B", 32), ("C", 4), ("D", 8))
STEPS = (10, 50, 500, 5000)

FEW = 100
"""Steps up to which a second call is made: what the first one leaves behind may count."""


def held() -> float:
    """Forgets the peak so far, where the system can, and returns what is held now, in MiB.

    Elsewhere it returns the peak so far: what importing a framework took may then hide a tile.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return peak()
    (kib,) = re.findall(r"VmRSS:\s+(\d+)", status)
    return float(kib) / 1024


def grown(call: Callable[[], Any], calls: int) -> float:
    """Returns by how much a few calls raise what the process holds at most, in MiB."""
    before = held()
    for _ in range(calls):
        call()
    # The system counts pages in batches: what is nothing may come out as a little less.
    return max(0.0, peak() - before)


def mib(framework: str, cell: Cell, way: str) -> float:
    """Returns the memory of a way in MiB, in a process that has done nothing else.

    What compiling takes is part of it, for polyattr as for the bare gradient.
    """
    x = models(framework).native(inputs(cell.model, cell.samples))
    model: Any = models(framework).build(cell.model)
    model(x[:1])  # the memory of the network itself is not polyattr's
    if way == EXPLAIN:
        method, classes = explainer(framework, cell, model), targets(cell.model, cell.samples)
        wait = bare(framework).wait
        calls = 2 if cell.settings["steps"] <= FEW else 1
        return grown(lambda: wait(method.explain(x, classes)), calls)
    module, rows = bare(framework), tile_rows(framework, cell)
    gradient = module.gradients(cell.model)[way]
    return grown(lambda: Limit(way, rows, rows, gradient, module, cell.model).prepare()(), 2)
