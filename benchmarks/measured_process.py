"""One measured process: times cells, or the memory of one, in the checkout PYTHONPATH names.

`compare_checkouts.py` starts it with a request in JSON as its argument and reads the answer in JSON
from the last line it prints.
"""

from __future__ import annotations

import gc
import importlib
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cells import METHODS, Cell, inputs, targets
from networks import build, native

WARM_SECONDS, WARM_CALLS = 0.15, 4
"""What the first calls may take: those compile, and choose among kernels by timing them."""

MEMORY_CALLS = 5


def check_checkout(checkout: str) -> None:
    """Makes sure that it is the checkout asked for that is measured.

    Raises:
        SystemExit: Another one is imported.
    """
    import polyattr

    found = Path(polyattr.__file__).resolve()
    if Path(checkout) not in found.parents:
        raise SystemExit(f"{found} is imported; expected polyattr of {checkout}")


def call(framework: str, cell: Cell) -> Callable[[], Any]:
    """Makes what is measured: a call of `explain` that ends when its values are there."""
    import polyattr

    plugin = importlib.import_module(f"polyattr_{framework}")
    model = build(framework, cell.network)
    x, classes = native(framework, inputs(cell)), targets(cell)
    model(x)  # the memory of the network itself is not polyattr's
    method = getattr(polyattr, cell.method)(model, backend=plugin.backend, **METHODS[cell.method])
    return lambda: np.asarray(method.explain(x, classes))


def milliseconds(explain: Callable[[], Any], seconds: float) -> float:
    """Returns the median time of a warm call, over about so many seconds of calls."""
    started, warm = time.perf_counter(), 0
    while warm < WARM_CALLS or time.perf_counter() - started < WARM_SECONDS:
        explain()
        warm += 1
    gc.collect()
    times: list[float] = []
    while sum(times) < seconds or len(times) < 3:
        before = time.perf_counter()
        explain()
        times.append(time.perf_counter() - before)
    return 1000 * statistics.median(times)


def peak() -> float:
    """Returns the most memory this process has held so far, in MiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def grown(explain: Callable[[], Any]) -> float:
    """Returns by how much a few calls raise the peak of the process, in MiB."""
    before = peak()
    for _ in range(MEMORY_CALLS):
        explain()
    return peak() - before


def main() -> None:
    """Answers the request in the first argument."""
    request = json.loads(sys.argv[1])
    check_checkout(request["checkout"])
    answer = {}
    for network, samples, method in request["cells"]:
        cell = Cell(network, samples, method)
        explain = call(request["framework"], cell)
        if request["memory"]:
            answer[str(cell)] = grown(explain)
        else:
            answer[str(cell)] = milliseconds(explain, request["seconds"])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
