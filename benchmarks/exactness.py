"""How exact are maps of Integrated Gradients, at what number of gradients?

    python benchmarks/exactness.py --out exactness.json
    python benchmarks/exactness.py --show exactness.json

Trains the networks of `trained_networks.py`, integrates by thousands of midpoints, and compares
with that every fixed rule of polyattr at 9, 17, 33 and 65 points per sample: the median over
held-out samples of the L1 error of the map relative to its size. Everything is in float64, from a
baseline of zeros. Needs scikit-learn. On two cores it takes some minutes; `--networks mlp` takes a
part. `--photos 4` adds EfficientNet-Lite0 on so many photos, in float32, which takes an hour.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from map_errors import WAYS, Cell, Way, measure, truth
from photographs import photographs
from trained_networks import RECIPES, Case, trained

LIBRARIES = ("polyattr", "numpy", "torch", "scikit-learn")


def arguments(given: Sequence[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write everything measured to this JSON file")
    parser.add_argument(
        "--show", type=Path, help="measure nothing: print the tables of such a file"
    )
    parser.add_argument("--samples", type=int, default=24, help="held-out samples of each network")
    parser.add_argument("--truth", type=int, default=4096, help="midpoints of the true map")
    names = [way.name for way in WAYS]
    parser.add_argument(
        "--stated",
        nargs="*",
        default=["trapezoid"],
        metavar="WAY",
        help=f"whose stated errors are shown, too: {', '.join(names)}",
    )
    parser.add_argument("--networks", default="", help="only those whose name contains this")
    parser.add_argument("--photos", type=int, default=0, help="photos for EfficientNet-Lite0")
    parser.add_argument("--photo-truth", type=int, default=1024, help="midpoints of their true map")
    return parser.parse_args(given)


def machine() -> dict[str, Any]:
    """Says where, with what and when this is measured."""
    return {
        "machine": platform.machine(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def cases(asked: argparse.Namespace) -> Iterator[tuple[Case, int]]:
    """Yields the networks that are asked for, each with the midpoints of its true map."""
    wanted = asked.networks.lower()
    recipes = [recipe for recipe in RECIPES if wanted in recipe.name.lower()]
    if not recipes and not asked.photos:
        names = ", ".join(dict.fromkeys(recipe.name for recipe in RECIPES))
        raise SystemExit(f"no network is named like {asked.networks!r}; networks: {names}")
    for recipe in recipes:
        yield trained(recipe, asked.samples), asked.truth
    if asked.photos:
        yield photographs(asked.photos), asked.photo_truth


def measured(
    networks_and_points: Iterable[tuple[Case, int]], ways: Iterable[Way]
) -> dict[str, Any]:
    """Measures all ways on all networks.

    Args:
        networks_and_points: The networks with their samples, and the midpoints of their true maps.
        ways: Of integrating.

    Returns:
        What the JSON file holds: facts about the run, a row per network, and the cells.
    """
    networks: list[dict[str, Any]] = []
    cells: list[Cell] = []
    ways = list(ways)
    for case, points in networks_and_points:
        ready = time.perf_counter()
        true = truth(case, points)
        cells += [measure(case, true, way, budget) for way in ways for budget in way.budgets]
        facts = {
            "network": case.network,
            "data": case.data,
            "quality": case.quality,
            "smooth": case.smooth,
            "samples": len(case.x),
            "truth_points": points,
            "truth_unsure": true.unsure,
            "seconds_measured": time.perf_counter() - ready,
        }
        networks.append(facts)
        print("{network}, {data}: quality {quality:.3f}".format_map(facts), file=sys.stderr)
    return {"run": machine(), "networks": networks, "cells": [_written(cell) for cell in cells]}


def _written(cell: Cell) -> dict[str, Any]:
    """Returns the fields of a cell; JSON knows no NaN."""

    def known(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [number if math.isfinite(number) else None for number in value]

    return {name: known(value) for name, value in asdict(cell).items()}


# -- tables ----------------------------------------------------------------------------------------


def read(found: dict[str, Any]) -> list[Cell]:
    """Returns the cells of what was measured."""

    def number(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return [math.nan if entry is None else entry for entry in value]

    return [Cell(**{k: number(value) for k, value in cell.items()}) for cell in found["cells"]]


def tables(found: dict[str, Any]) -> str:
    """Writes, in Markdown, the median error of every way, and the best fixed rule in hindsight."""
    cells, lines = read(found), []
    ways = list(dict.fromkeys(cell.way for cell in cells))
    budgets = sorted({cell.budget for cell in cells if cell.fixed})
    for facts in found["networks"]:
        here = [c for c in cells if (c.network, c.data) == (facts["network"], facts["data"])]
        lines += [
            "",
            f"{facts['network']}, {facts['data']} ({facts['samples']} samples, quality "
            f"{facts['quality']:.3f}, truth of {facts['truth_points']} midpoints, sure to "
            f"{_number(facts['truth_unsure'])}):",
            "",
            f"| n | best | {' | '.join(ways)} |",
            f"|{'---|' * (len(ways) + 2)}",
        ]
        for budget in budgets:
            row = {cell.way: cell for cell in here if cell.fixed and cell.budget == budget}
            best = min(row.values(), key=lambda cell: cell.median)
            shown = [_number(row[way].median) if way in row else "" for way in ways]
            lines.append(f"| {budget:g} | {best.way} | {' | '.join(shown)} |")
        lines += _chosen([cell for cell in here if not cell.fixed], here)
    return "\n".join([_headline(found["run"]), *lines])


def stated(found: dict[str, Any], way: str) -> str:
    """Writes, in Markdown, what a way says of its own error, against what that is.

    For each network and budget: the mean stated error over the mean true one; what part of the
    features lies within one standard error; on what part of the samples the bound holds.
    """
    cells = [cell for cell in read(found) if cell.way == way]
    budgets = sorted({cell.budget for cell in cells})
    names = dict.fromkeys((cell.network, cell.data) for cell in cells)
    lines = [
        f"{way}: mean stated / mean true error, features within one standard error, samples within "
        f"the bound",
        "",
        f"| network | {' | '.join(f'n = {budget:g}' for budget in budgets)} |",
        f"|{'---|' * (len(budgets) + 1)}",
    ]
    for name in names:
        here = {cell.budget: cell for cell in cells if (cell.network, cell.data) == name}
        shown = [_honesty(here[budget]) if budget in here else "" for budget in budgets]
        lines.append(f"| {', '.join(name)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def _honesty(cell: Cell) -> str:
    true, said = np.array(cell.error), np.array(cell.stated)
    if np.isnan(said).all():
        return "none"
    parts = [f"{np.nanmean(said) / np.mean(true):.2f}"]
    if not np.isnan(cell.covered).all():
        parts.append(f"{np.nanmean(cell.covered):.0%}")
    if not np.isnan(cell.bound).all():
        parts.append(f"{np.mean(np.array(cell.bound) >= true):.0%}")
    return ", ".join(parts)


def _chosen(cells: list[Cell], here: list[Cell]) -> list[str]:
    """Writes what ways that choose their points need, against the best fixed rule in hindsight."""
    if not cells:
        return []
    titles = ("way", "asked", "evaluations", "error", "best fixed rule needs", "stated / true")
    lines = ["", f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for cell in cells:
        spent = sum(cell.evaluations) / len(cell.evaluations)
        fixed = needed(here, cell.median)
        ratio = sum(cell.stated) / sum(cell.error) if sum(cell.error) else math.nan
        numbers = f"{spent:.1f} | {_number(cell.median)} | {fixed:.1f} | {ratio:.2f}"
        lines.append(f"| {cell.way} | {cell.budget:g} | {numbers} |")
    return lines


def summary(found: dict[str, Any], way: str = "auto") -> str:
    """Writes, in Markdown, a row for each network: fixed rules, and a way that chooses its points.

    For each tolerance of that way: gradients per sample, error of the map, and how many gradients
    the best fixed rule takes for that error, chosen in hindsight; ">" where more than were tried.
    """
    cells = read(found)
    points = sorted({cell.budget for cell in cells if cell.fixed})
    asked = sorted({cell.budget for cell in cells if cell.way == way}, reverse=True)[2:]
    titles = [*(f"best of n = {n:g}" for n in points[1:]), *(f"{way}, {t:g}" for t in asked)]
    lines = [f"| network | {' | '.join(titles)} |", f"|{'---|' * (len(titles) + 1)}"]
    for name in dict.fromkeys((cell.network, cell.data) for cell in cells):
        here = [cell for cell in cells if (cell.network, cell.data) == name]
        best = [min(c.median for c in here if c.fixed and c.budget == n) for n in points[1:]]
        shown = [_number(error) for error in best]
        for tolerance in asked:
            (cell,) = (c for c in here if c.way == way and c.budget == tolerance)
            spent, fixed = float(np.mean(cell.evaluations)), needed(here, cell.median)
            more = cell.median < best[-1]
            instead = f"{fixed:.0f}" if math.isfinite(fixed) else (f"> {points[-1]:g}" * more)
            shown.append(f"{spent:.0f}: {_number(cell.median)} ({instead or 'fewest'})")
        lines.append(f"| {', '.join(name)} | {' | '.join(shown)} |")
    return "\n".join(lines)


def needed(cells: list[Cell], error: float) -> float:
    """Returns the evaluations at which the best fixed rule has a median error.

    Between the numbers of points that were tried it is read off a straight line in logarithms.

    Args:
        cells: Those of one network.
        error: What is to be reached.

    Returns:
        The evaluations; NaN where all that were tried are better, or worse.
    """
    fixed = [cell for cell in cells if cell.fixed]
    points = sorted({cell.budget for cell in fixed})
    best = [min(cell.median for cell in fixed if cell.budget == n) for n in points]
    for (n, worse), (more, better) in itertools.pairwise(zip(points, best, strict=True)):
        if better <= error <= worse and 0 < better < worse:
            share = math.log(worse / error) / math.log(worse / better)
            return float(n * (more / n) ** share)
    return math.nan


def _headline(run: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    where = f"{run['cpus']} CPUs ({run['machine']}), Python {run['python']}, {versions}"
    return f"Median relative L1 error of the map, truth of many midpoints; {where}, {run['date']}"


def _number(value: float) -> str:
    return f"{value:.1e}" if value < 1e-4 else f"{value:.4f}"


def main(given: Sequence[str]) -> None:
    """Measures, writes and prints."""
    asked = arguments(given)
    if asked.show is not None:
        _print(json.loads(asked.show.read_text(encoding="utf-8")), asked.stated)
        return
    found = measured(cases(asked), WAYS)
    if asked.out is not None:
        asked.out.write_text(json.dumps(found, indent=1, allow_nan=False), encoding="utf-8")
    _print(found, asked.stated)


def _print(found: dict[str, Any], ways: Sequence[str]) -> None:
    parts = [tables(found), summary(found), *(stated(found, way) for way in ways)]
    print("\n\n".join(parts))


if __name__ == "__main__":
    main(sys.argv[1:])
