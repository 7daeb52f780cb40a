"""Compares two checkouts: the time of a warm `explain`, or the memory it takes, cell by cell.

``python benchmarks/compare_checkouts.py OLD NEW --framework torch`` times processes of both
checkouts in turn (OLD, NEW, OLD, NEW, ...), so that a machine that gets busier slows both, and
prints the median over the rounds of the ratio new / old. ``--memory`` compares peak memory instead.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import astuple
from pathlib import Path

from cells import CELLS, FRAMEWORKS, Cell

Figures = dict[str, float]
"""A figure by the cell's name: milliseconds, or MiB."""

CHILD = Path(__file__).with_name("measured_process.py")


def measure(checkout: Path, asked: argparse.Namespace, cells: Sequence[Cell]) -> Figures:
    """Runs one process in a checkout and returns what it measured.

    Raises:
        SystemExit: The process failed; what it printed is shown.
    """
    request = {
        "checkout": str(checkout),
        "framework": asked.framework,
        "cells": [astuple(cell) for cell in cells],
        "memory": asked.memory,
        "seconds": asked.seconds,
    }
    paths = os.pathsep.join(map(str, (checkout, checkout / "backends")))
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}
    run = subprocess.run(
        [sys.executable, str(CHILD), json.dumps(request)],
        env={**os.environ, **quiet, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise SystemExit(f"measuring {checkout} failed:\n{run.stdout}{run.stderr}")
    figures: Figures = json.loads(run.stdout.splitlines()[-1])
    return figures


def one_round(checkout: Path, asked: argparse.Namespace, cells: Sequence[Cell]) -> Figures:
    """Measures every cell: all in one process for time, each in its own for memory."""
    if not asked.memory:
        return measure(checkout, asked, cells)
    return {name: mib for cell in cells for name, mib in measure(checkout, asked, [cell]).items()}


def row(name: str, pairs: Sequence[tuple[float, float]]) -> str:
    """Writes the line of a cell: both medians, the median ratio and the ratios' spread."""
    old, new = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = [later / earlier for earlier, later in pairs if earlier > 0]
    start = f"{name:<32}{old:>10.3f}{new:>10.3f}"
    if not ratios:  # memory that stays below what importing the framework took
        return f"{start}{'-':>9}"
    middle, least, most = statistics.median(ratios), min(ratios), max(ratios)
    return f"{start}{middle:>9.3f}   {least:.3f} to {most:.3f}"


def chosen(part: str) -> list[Cell]:
    """Returns the cells whose name contains `part`, in any case.

    Raises:
        SystemExit: None does.
    """
    cells = [cell for cell in CELLS if part.lower() in str(cell).lower()]
    if not cells:
        raise SystemExit(f"no cell is named like {part!r}; cells: {'; '.join(map(str, CELLS))}")
    return cells


def arguments() -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description="Compares two checkouts of polyattr.")
    parser.add_argument("old", type=Path, metavar="OLD", help="checkout to compare with")
    parser.add_argument("new", type=Path, metavar="NEW", help="checkout to judge")
    parser.add_argument("--framework", choices=FRAMEWORKS, required=True)
    parser.add_argument("--rounds", type=int, default=5, help="processes of each (default 5)")
    parser.add_argument("--memory", action="store_true", help="peak memory instead of time")
    parser.add_argument("--seconds", type=float, default=0.7, help="of timing per cell and process")
    parser.add_argument("--cells", default="", help="only cells whose name contains this")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds is {asked.rounds}; expected at least 1")
    return asked


def main() -> None:
    """Measures both checkouts in turn and prints a line per cell."""
    asked = arguments()
    cells = chosen(asked.cells)
    old, new = asked.old.resolve(), asked.new.resolve()
    rounds = [
        (one_round(old, asked, cells), one_round(new, asked, cells)) for _ in range(asked.rounds)
    ]
    unit = "MiB" if asked.memory else "ms"
    print(f"{asked.framework}, {asked.rounds} rounds: {old} against {new}")
    print(f"{'cell':<32}{'old ' + unit:>10}{'new ' + unit:>10}{'new/old':>9}   spread")
    for name in map(str, cells):
        print(row(name, [(before[name], after[name]) for before, after in rounds]))


if __name__ == "__main__":
    main()
