"""Draws what `exactness.py` has measured.

    python benchmarks/exactness.py --out exactness.json
    python benchmarks/exactness_figure.py exactness.json docs/exactness.png

For each network: the error of maps over the gradients that they took, of fixed rules and of points
that polyattr chose itself; below, what each map said of its own error over what it was.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from exactness import read
from map_errors import Cell

mpl.use("Agg")
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

FIXED = {"trapezoid": "#4c78a8", "midpoint": "#72b7b2", "gauss-legendre": "#9d755d"}
OWN = "#e45756"


def names(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """Networks in the order in which they were measured."""
    return list(dict.fromkeys((cell.network, cell.data) for cell in cells))


def draw(found: dict[str, Any]) -> Figure:
    """Draws all networks, two panels each."""
    cells = read(found)
    every = names(cells)
    columns = min(4, len(every))
    rows = -(-len(every) // columns)
    figure = Figure(figsize=(3.1 * columns, 5.0 * rows), layout="constrained")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for axis in axes.ravel()[:]:
        axis.set_visible(False)
    for number, name in enumerate(every):
        here = [cell for cell in cells if (cell.network, cell.data) == name]
        row, column = divmod(number, columns)
        upper, lower = axes[2 * row, column], axes[2 * row + 1, column]
        upper.set_title(f"{name[0]}\n{name[1]}", fontsize=9)
        _evaluations(upper, here, first=number == 0)
        _honesty(lower, here, first=number == 0)
    return figure


def _evaluations(axis: Any, cells: Sequence[Cell], first: bool) -> None:
    axis.set_visible(True)
    for way, colour in FIXED.items():
        own = sorted((c for c in cells if c.way == way), key=lambda cell: cell.budget)
        n, error = [c.budget for c in own], [c.median for c in own]
        axis.plot(n, error, color=colour, marker=".", linewidth=1, label=way)
    own = sorted((c for c in cells if c.way == "auto"), key=lambda c: np.mean(c.evaluations))
    n, error = [float(np.mean(c.evaluations)) for c in own], [c.median for c in own]
    axis.plot(n, error, color=OWN, marker="o", markersize=4, linewidth=1.6, label='steps="auto"')
    axis.set(xscale="log", yscale="log")
    ticks = [10, *(10 * 2**k for k in range(1, 8) if 8 * 2**k < max(n))]
    ticks = ticks[:: 1 + (len(ticks) > 4)]
    axis.set_xticks(ticks, list(map(str, ticks)))
    axis.minorticks_off()
    axis.set_xlabel("gradients per sample", fontsize=8)
    if first:
        axis.set_ylabel("error of the map", fontsize=8)
        axis.legend(fontsize=7, frameon=False, loc="lower left")
    _plain(axis)


def _honesty(axis: Any, cells: Sequence[Cell], first: bool) -> None:
    axis.set_visible(True)
    shown: list[float] = []
    for way, colour, size in (("trapezoid", FIXED["trapezoid"], 5), ("auto", OWN, 7)):
        own = [cell for cell in cells if cell.way == way]
        true = np.concatenate([cell.error for cell in own])
        said = np.concatenate([cell.stated for cell in own])
        axis.scatter(true, said, s=size, color=colour, alpha=0.5, linewidths=0)
        shown += [*true[true > 0], *said[said > 0]]
    ends = [max(min(shown), 1e-9), max(shown)]
    axis.plot(ends, ends, color="0.4", linewidth=0.8)
    axis.fill_between(ends, [e * 0.5 for e in ends], [e * 2 for e in ends], color="0.9", zorder=0)
    axis.set(xscale="log", yscale="log")
    for side in (axis.xaxis, axis.yaxis):  # within a decade, all of its parts would be named
        side.set_minor_formatter(NullFormatter())
    axis.set_xlabel("true error", fontsize=8)
    if first:
        axis.set_ylabel("stated error", fontsize=8)
        axis.annotate(
            "within a factor of two",
            (0.04, 0.9), xycoords="axes fraction", fontsize=7, color="0.35",
        )  # fmt: skip
    _plain(axis)


def _plain(axis: Any) -> None:
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def main(given: Sequence[str]) -> None:
    """Reads a file of measurements and writes a picture."""
    if len(given) != 2:
        raise SystemExit("usage: python benchmarks/exactness_figure.py MEASURED.json PICTURE.png")
    found = json.loads(Path(given[0]).read_text(encoding="utf-8"))
    draw(found).savefig(given[1], dpi=130)


if __name__ == "__main__":
    main(sys.argv[1:])
