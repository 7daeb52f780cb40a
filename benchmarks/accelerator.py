"""Is polyattr right and fast on this machine's accelerator? ``nox -s accelerator``, or this script.

``python benchmarks/accelerator.py --framework torch --out found.json`` needs one framework, a build
of it that sees the accelerator, and pytest; under six minutes. Each part prints a line: PASS, FAIL,
or ---- before figures that no check holds to anything. A part that fails does not keep the others
from running; the exit code is 1 then. ``--device cpu`` tries the script without an accelerator,
and the file says that its figures are none of one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

# Before a framework is imported: JAX would take three quarters of the memory for the first of the
# processes, and TensorFlow all of it.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import polyattr
from accelerator_answers import answers
from accelerator_compiled import PLACES
from accelerator_loop import loops
from accelerator_parts import memory, ratios
from accelerator_places import AUTO, Place
from accelerator_recurrent import recurrent
from accelerator_sizes import FULL, TINY, Result, Sizes
from accelerator_suite import conformance

# Memory before all that would raise a peak which XLA's allocator keeps; the suite has processes
# of its own.
PARTS: dict[str, Callable[[Place, Sizes], Result]] = {
    "memory": memory,
    "suite": conformance,
    "loop": loops,
    "ratio": ratios,
    "recurrent": recurrent,
    "answers": answers,
}


def run(place: Place, parts: Sequence[str], sizes: Sizes) -> list[Result]:
    """Runs the parts, printing a line for each; an error in one is its failure."""
    found = []
    for name in parts:
        started = perf_counter()
        try:
            with warnings.catch_warnings():
                # Few points, on purpose.
                warnings.simplefilter("ignore", polyattr.ConvergenceWarning)
                result = PARTS[name](place, sizes)
        except Exception as error:
            first = (str(error).splitlines() or [""])[0]
            result = Result(name, False, f"{type(error).__name__}: {first}", {})
        print(f"{result} [{perf_counter() - started:.0f} s]", flush=True)
        found.append(result)
    return found


def described(place: Place) -> dict[str, Any]:
    """Where it was found, for a file."""
    return {
        "framework": place.framework,
        "device": place.device,
        "card": place.card(),
        "accelerated": place.accelerated,
        "versions": place.versions(),
        "python": platform.python_version(),
        "machine": platform.platform(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Reads the command line."""
    here = [name for name in PLACES if find_spec(name)]
    parser = argparse.ArgumentParser(description="Checks and times polyattr on an accelerator.")
    parser.add_argument("--framework", choices=tuple(PLACES), help="default: the first installed")
    parser.add_argument("--device", default=AUTO, help="the framework's name of it, or cpu")
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--tiny", action="store_true", help="as little as tries the script")
    parser.add_argument("--out", type=Path, help="JSON file for all figures")
    asked = parser.parse_args(given)
    if asked.framework is None and not here:
        parser.error(f"none of {', '.join(PLACES)} is installed; expected one of them")
    asked.framework = asked.framework or here[0]
    return asked


def main(given: Sequence[str] | None = None) -> int:
    """Runs the parts that are asked for; returns the exit code."""
    asked = arguments(given)
    place = PLACES[asked.framework](asked.device)
    # Before the parts: after one of them a device may answer nothing any more.
    where = described(place)
    about = f"{place.framework} on {where['card']} ({place.device})"
    print(about if where["accelerated"] else f"{about}: NO ACCELERATOR, the figures are a CPU's")
    results = run(place, asked.parts, TINY if asked.tiny else FULL)
    if asked.out is not None:
        named = zip(asked.parts, results, strict=True)
        parts = [{"name": name, **vars(result)} for name, result in named]
        found = json.dumps({**where, "parts": parts}, indent=1)
        asked.out.write_text(found + "\n", encoding="utf-8")
    return int(any(result.passed is False for result in results))


if __name__ == "__main__":
    sys.exit(main())
