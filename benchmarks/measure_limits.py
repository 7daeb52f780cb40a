"""What do explanations cost beside what the framework asks for the same gradients?

    python benchmarks/measure_limits.py --out limits.json
    python benchmarks/measure_limits.py --growth --memory --out limits.json
    python benchmarks/measure_limits.py --show limits.json
    python benchmarks/limits_figure.py limits.json ratios.png growth.png

Compares polyattr at its defaults, in one process and in turn, with the bare gradients of the
framework: as many rows, prepared beforehand, at the number of rows per call that is fastest. Peers
that are installed stand beside it. `--out` of a file that is there updates it entry by entry, so
that the measurement can be done in pieces.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from limits.frameworks import FRAMEWORKS
from limits.parts import PARTS
from limits.peak_memory import STEPS
from limits.record import Record
from limits.tables import tables
from limits.varying import MOST
from limits.workloads import METHODS, MODELS


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--out", type=Path, help="write what is measured to this JSON file, or update it")
    add("--show", type=Path, help="measure nothing: print the tables of such a file, in Markdown")
    add("--frameworks", nargs="+", choices=FRAMEWORKS, help="default: those installed")
    add("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    add("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    add("--samples", nargs="+", type=int, default=[], help="N, instead of those of each model")
    add("--rounds", type=int, default=7, help="turns of each way (default 7)")
    add("--seconds", type=float, default=0.3, help="of a turn, about (default 0.3)")
    add("--no-peers", action="store_true", help="leave captum and xplique out")
    add("--cells", action="store_true", help="the comparison itself; so without any other part")
    add("--first", action="store_true", help="the first call of a process")
    add("--first-rounds", type=int, default=3, help="processes of each way (default 3)")
    add("--memory", action="store_true", help="peak memory by steps, and that of one tile")
    add("--steps", nargs="+", type=int, default=list(STEPS), help="of --memory")
    add("--varying", action="store_true", help="1, 2, ... samples in turn: time, compilations")
    add("--most", type=int, default=MOST, help="samples of --varying (default 40)")
    add("--growth", action="store_true", help="time and memory over N and over steps")
    add("--most-rows", type=int, default=100_000, help="of --growth (default 100,000)")
    add("--to-error", action="store_true", help="time to the same error of the map, in PyTorch")
    add("--to-error-samples", type=int, default=200, help="default 200")
    asked = parser.parse_args(given)
    if asked.rounds < 1 or asked.first_rounds < 1 or min(asked.samples, default=1) < 1:
        parser.error("--rounds, --first-rounds and --samples have to be at least 1")
    if asked.frameworks is None:
        asked.frameworks = [name for name in FRAMEWORKS if find_spec(name)]
    return asked


def main(given: Sequence[str]) -> None:
    """Measures what is asked for, writes each entry as it is found, and prints the tables."""
    asked = arguments(given)
    if asked.show is not None:
        print(tables(json.loads(asked.show.read_text(encoding="utf-8"))))
        return
    record = Record(asked.out)
    chosen = [part for name, part in PARTS.items() if getattr(asked, name)]
    for part in chosen or [PARTS["cells"]]:
        for name, key, facts in part(asked):
            record.put(name, key, facts)
            print(f"{name}: {key}", file=sys.stderr, flush=True)
    print(tables(record.found))


if __name__ == "__main__":
    main(sys.argv[1:])
