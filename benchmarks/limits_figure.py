"""Draws what `measure_limits.py` has measured.

    python benchmarks/limits_figure.py limits.json ratios.png growth.png

The first picture has, for each model, N and method, the time of a warm `explain` over the limit; 1
is the limit. The second has time over rows and memory over steps, where those were measured.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

from limits.frameworks import FRAMEWORKS
from limits.growth import FIXED_SAMPLES, FIXED_STEPS
from limits.tables import GOAL, Entry, entries
from limits.ways import PEERS
from limits.workloads import INITIALS, MODELS

mpl.use("Agg")
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

COLOURS = {"torch": "#e45756", "jax": "#4c78a8", "tensorflow": "#f2a541"}
NAMES = {"torch": "PyTorch", "jax": "JAX", "tensorflow": "TensorFlow"}
PEER, PEER_BEST = "0.62", "0.3"


def ratios(found: dict[str, Any]) -> Figure:
    """Draws a panel for each framework, a line for each cell."""
    cells = entries(found, "cells")
    frameworks = [name for name in FRAMEWORKS if any(e.framework == name for e in cells)]
    lines = list(dict.fromkeys((*e.row, e.method) for e in sorted(cells, key=_place)))
    height = 1.3 + 0.21 * len(lines)
    figure = Figure(figsize=(2.6 + 2.9 * max(1, len(frameworks)), height), layout="constrained")
    axes = figure.subplots(1, max(1, len(frameworks)), sharey=True, sharex=True, squeeze=False)[0]
    for axis, framework in zip(axes, frameworks, strict=False):
        here = {(*e.row, e.method): e for e in cells if e.framework == framework}
        _panel(axis, framework, [here.get(line) for line in lines])
        for place, (before, line) in enumerate(itertools.pairwise(lines)):
            if line[0] != before[0]:
                axis.axhline(place + 0.5, color="0.75", linewidth=0.8)
    middle = [ratio["median"] for e in cells for ratio in e.facts["ratios"].values()]
    axes[0].set_xlim(0.9 * min([0.95, *middle]), 1.15 * max([2.0, *middle]))
    _ticks(axes[0])
    starts = {line[:2]: line for line in reversed(lines)}
    labels = [_label(*line, first=starts[line[:2]] == line) for line in lines]
    axes[0].set_yticks(range(len(lines)), labels)
    axes[0].set_ylim(len(lines) - 0.4, -0.6)
    figure.suptitle("Time over the limit: bare gradients of as many rows", fontsize=11)
    return figure


def _place(entry: Entry) -> tuple[int, int, int]:
    return *entry.row, list(INITIALS).index(entry.method)


def _label(model: int, samples: int, method: str, first: bool) -> str:
    """Names the model and N once, at their first method."""
    if not first:
        return INITIALS[method]
    title = list(MODELS.values())[model].title.partition(",")[0]
    return f"{title}, N = {samples:,}    {INITIALS[method]}"


def _panel(axis: Any, framework: str, lines: Sequence[Entry | None]) -> None:
    axis.axvspan(0.01, GOAL, color="#e7f3e7", zorder=0, linewidth=0)
    axis.axvline(1.0, color="0.3", linewidth=1)
    axis.axvline(GOAL, color="#54a24b", linewidth=1, linestyle="--")
    peer = PEERS.get(framework, "")
    ways = (
        (peer, peer, PEER, "D", 16),
        (f"{peer} best", f"{peer} at its best", PEER_BEST, "d", 16),
        ("explain", "polyattr", COLOURS[framework], "o", 30),
    )
    for way, name, colour, marker, size in ways:
        known = [(y, e.facts["ratios"].get(way)) for y, e in enumerate(lines) if e is not None]
        drawn = [(y, ratio) for y, ratio in known if ratio is not None]
        if not drawn:
            continue
        places = [y for y, _ in drawn]
        middle = [ratio["median"] for _, ratio in drawn]
        axis.scatter(middle, places, s=size, color=colour, marker=marker, label=name, zorder=3)
        if way == "explain":
            spread = [(ratio["least"], ratio["most"]) for _, ratio in drawn]
            ends = [least for least, _ in spread], [most for _, most in spread]
            axis.hlines(places, *ends, color=colour, linewidth=1.4, alpha=0.5)
    axis.set(xscale="log", title=NAMES[framework])
    axis.grid(color="0.92", zorder=0)
    axis.set_axisbelow(True)
    axis.legend(
        fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, 0), borderaxespad=5
    )
    axis.set_xlabel("times the limit", fontsize=8)
    _plain(axis)


def _ticks(axis: Any) -> None:
    least, most = axis.get_xlim()
    shown = [tick for tick in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if least <= tick <= most]
    axis.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axis.minorticks_off()


# -- growth ----------------------------------------------------------------------------------------


def growth(found: dict[str, Any]) -> Figure:
    """Draws time over rows, and memory over N and over steps."""
    cells = sorted(entries(found, "growth"), key=lambda e: e.facts["rows"])
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    time, steps, samples = figure.subplots(1, 3)
    for framework in FRAMEWORKS:
        own = [e for e in cells if e.framework == framework]
        if own:
            _time(time, framework, own)
            by_steps = [e for e in own if e.samples == FIXED_SAMPLES]
            by_samples = [e for e in own if e.steps == FIXED_STEPS]
            _memory(steps, framework, [(e.steps or 0, e.facts["mib"]) for e in by_steps])
            _memory(samples, framework, [(e.samples, e.facts["mib"]) for e in by_samples])
    _linear(time, cells)
    time.set(xscale="log", yscale="log", title="time")
    time.set_xlabel("N x steps", fontsize=8)
    time.set_ylabel("seconds", fontsize=8)
    for axis, name, fixed in (
        (steps, "steps", f"N = {FIXED_SAMPLES}"),
        (samples, "N", f"{FIXED_STEPS} steps"),
    ):
        axis.set_xscale("log")
        axis.xaxis.set_minor_formatter(NullFormatter())
        axis.set_xlabel(name, fontsize=8)
        axis.set_ylabel("MiB above the loaded model", fontsize=8)
        axis.set_title(f"peak memory, {fixed}")
        axis.set_ylim(0, None)
    for axis in (time, steps, samples):
        _plain(axis)
    handles, labels = time.get_legend_handles_labels()
    figure.legend(handles, labels, fontsize=7, frameon=False, loc="outside right upper")
    figure.suptitle("Integrated Gradients of a small MLP (100-64-2)", fontsize=11)
    return figure


def _time(axis: Any, framework: str, cells: Sequence[Entry]) -> None:
    growing_n = [e for e in cells if e.steps == FIXED_STEPS]
    growing_steps = [e for e in cells if e.samples == FIXED_SAMPLES]
    for name, style, own, label in (
        ("explain", "o-", growing_n, f"{NAMES[framework]}, growing N"),
        ("explain", "x", growing_steps, f"{NAMES[framework]}, growing steps"),
        ("limit", ":", growing_n, f"{NAMES[framework]}, the limit"),
    ):
        rows, seconds = ([e.facts[what] for e in own] for what in ("rows", name))
        look = {"color": COLOURS[framework], "linewidth": 1.2}
        axis.plot(rows, seconds, style, markersize=4, label=label, **look)


def _linear(axis: Any, cells: Sequence[Entry]) -> None:
    """Draws a straight line of time in proportion to rows, through the largest point."""
    if not cells:
        return
    most = max(cells, key=lambda e: (e.facts["rows"], e.facts["explain"])).facts
    rows = [min(e.facts["rows"] for e in cells), most["rows"]]
    seconds = [most["explain"] * count / most["rows"] for count in rows]
    axis.plot(rows, seconds, "--", color="0.6", linewidth=1, label="in proportion to rows")


def _memory(axis: Any, framework: str, points: Sequence[tuple[int, float]]) -> None:
    ordered = sorted(points)
    values = [mib for _, mib in ordered]
    at = [count for count, _ in ordered]
    axis.plot(at, values, "o-", color=COLOURS[framework], markersize=3.5, linewidth=1.2)


def _plain(axis: Any) -> None:
    axis.tick_params(labelsize=7.5)
    axis.spines[["top", "right"]].set_visible(False)
    axis.title.set_fontsize(9)


def main(given: Sequence[str]) -> None:
    """Reads a file of measurements and writes one picture or both."""
    if len(given) not in {2, 3}:
        raise SystemExit(
            "usage: python benchmarks/limits_figure.py MEASURED.json RATIOS.png [GROWTH.png]"
        )
    found = json.loads(Path(given[0]).read_text(encoding="utf-8"))
    for draw, path in zip((ratios, growth), given[1:], strict=False):
        draw(found).savefig(path, dpi=130)


if __name__ == "__main__":
    main(sys.argv[1:])
