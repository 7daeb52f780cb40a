"""One measuring process of `measure_limits.py`: answers the request in JSON in its argument."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from limits import first_call, growth, peak_memory, varying
from limits.interleaved import Asked, measure
from limits.processes import ROOT, say
from limits.workloads import Cell
from measured_process import check_checkout


def answers(request: dict[str, Any]) -> Iterator[Any]:
    """Yields what the request asks for."""
    kind, framework = request["kind"], request["framework"]
    if kind == "cells":
        for fields in request["cells"]:
            cell = Cell(*fields)
            yield str(cell), measure(framework, cell, Asked(**request["asked"]))
        return
    if kind == "varying":
        yield varying.measure(framework, request["method"], request["most"])
        return
    if kind == "to_error":
        from limits import to_error  # scikit-learn and PyTorch need not be there for the others

        rows = to_error.measure(request["samples"], request["rounds"], request["seconds"])
        yield {"rows": rows}
        return
    if kind == "growth":
        for fields in request["cells"]:
            yield growth.timed(framework, Cell(*fields), request["seconds"])
        return
    cell = Cell(*request["cell"])
    if kind == "first":
        yield first_call.seconds(framework, cell, request["way"])
    elif kind == "memory":
        yield peak_memory.mib(framework, cell, request["way"])
    else:
        raise SystemExit(
            f"kind is {kind!r}; expected cells, varying, to_error, first, memory or growth"
        )


def main() -> None:
    """Answers the request in the first argument."""
    # Of what has not converged, and of functions that are traced for each shape: as is meant here.
    warnings.simplefilter("ignore")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    check_checkout(str(ROOT))
    for found in answers(json.loads(sys.argv[1])):
        say(found)


if __name__ == "__main__":
    main()
