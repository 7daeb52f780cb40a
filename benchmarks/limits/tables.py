"""What was measured as Markdown, ready to be pasted."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from limits.frameworks import FRAMEWORKS
from limits.ways import PEERS
from limits.workloads import INITIALS, MODELS

Facts = Mapping[str, Any]
GOAL = 1.10
"""Ratio to the limit below which nothing is left to gain."""


@dataclass(frozen=True)
class Entry:
    """One entry of a part of the file, its key taken apart.

    Attributes:
        framework: Its name.
        model: Letter.
        samples: N.
        method: Name.
        steps: Or None for the usual ones.
        facts: What was found.
    """

    framework: str
    model: str
    samples: int
    method: str
    steps: int | None
    facts: Facts

    @property
    def row(self) -> tuple[int, int]:
        """What its row is sorted by."""
        return list(MODELS).index(self.model), self.samples


def entries(found: Facts, part: str) -> list[Entry]:
    """Returns the entries of a part whose keys name a framework and a cell, sorted by rows."""
    read = []
    for key, facts in found.get(part, {}).items():
        framework, model, n, method, *steps = key.split()
        count = int(steps[0].removeprefix("steps=")) if steps else None
        read.append(Entry(framework, model, int(n.removeprefix("N=")), method, count, facts))
    return sorted(read, key=lambda entry: entry.row)


def tables(found: Facts) -> str:
    """Writes everything that a file has, with a headline each."""
    cells = entries(found, "cells")
    parts = [
        _headline(found["run"]),
        *_ratios(cells),
        _missing(cells),
        _first(entries(found, "first")),
        _memory(entries(found, "memory")),
        _varying(found.get("varying", {})),
        _growth(entries(found, "growth")),
        *(_to_error(name, facts) for name, facts in found.get("to_error", {}).items()),
    ]
    return "\n\n".join(filter(None, parts))


def markdown(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Writes a table; the first column is text, the others are numbers."""
    lines = [titles, ["---", *["---:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _headline(run: Facts) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
    where = f"{run['cpus']} CPUs ({run['cpu'] or run['machine']})"
    return f"{where}, Python {run['python']}, {versions}, {run['date']}"


def _grid(
    cells: Sequence[Entry], columns: Mapping[str, tuple[str, Callable[[Facts], str | None]]]
) -> str:
    """Writes a row per model and N, its methods beside each other: "G / IG / SG".

    Args:
        cells: All entries.
        columns: By title: the framework, and what is shown of an entry of it.
    """
    rows = []
    shown_titles = [
        title
        for title, (framework, show) in columns.items()
        if any(e.framework == framework and show(e.facts) is not None for e in cells)
    ]
    for row in dict.fromkeys(entry.row for entry in cells):
        here = [entry for entry in cells if entry.row == row]
        line = [f"{MODELS[here[0].model].title}, N = {here[0].samples:,}"]
        for title in shown_titles:
            framework, show = columns[title]
            by_method = {e.method: show(e.facts) for e in here if e.framework == framework}
            wanted = [name for name in INITIALS if name in {e.method for e in here}]
            shown = [by_method.get(name) or "-" for name in wanted]
            line.append(" / ".join(shown) if {*shown} != {"-"} else "-")
        rows.append(line)
    methods = [short for name, short in INITIALS.items() if name in {e.method for e in cells}]
    return markdown([f"model ({' / '.join(methods)})", *shown_titles], rows)


def _ratio(way: str) -> Callable[[Facts], str | None]:
    def show(facts: Facts) -> str | None:
        return f"{facts['ratios'][way]['median']:.2f}" if way in facts["ratios"] else None

    return show


def _ratios(cells: Sequence[Entry]) -> list[str]:
    if not cells:
        return []
    columns, attribute, limits = {}, {}, {}
    for framework in FRAMEWORKS:
        columns[framework] = (framework, _ratio("explain"))
        for way in (PEERS.get(framework, ""), f"{PEERS.get(framework)} best"):
            columns[way] = (framework, _ratio(way))
        attribute[framework] = (framework, _ratio("attribute"))
        limits[framework] = (framework, _limit)
    return [
        "Time of a warm `explain` over the limit, bare gradients of as many rows:",
        _grid(cells, columns),
        _summary(cells),
        "The same of `attribute`:",
        _grid(cells, attribute),
        "The limit: milliseconds (rows per call, and how they were taken):",
        _grid(cells, limits),
    ]


def _limit(facts: Facts) -> str:
    middle = statistics.median(facts["milliseconds"]["limit"])
    return f"{middle:.3g} ({facts['limit']['tile']:,} {facts['limit']['way']})"


def _summary(cells: Sequence[Entry]) -> str:
    rows = []
    for framework in FRAMEWORKS:
        for way in ("explain", PEERS.get(framework, ""), f"{PEERS.get(framework)} best"):
            here = [e for e in cells if e.framework == framework and way in e.facts["ratios"]]
            if not here:
                continue
            ratios = {
                f"{e.model} N={e.samples} {INITIALS[e.method]}": e.facts["ratios"][way]["median"]
                for e in here
            }
            worst = max(ratios, key=ratios.__getitem__)
            within = sum(ratio <= GOAL for ratio in ratios.values())
            rows.append(
                [
                    framework if way == "explain" else way,
                    f"{within} of {len(here)}",
                    f"{statistics.median(ratios.values()):.2f}",
                    f"{ratios[worst]:.2f} ({worst})",
                ]
            )
    return markdown(["", f"within {GOAL:.2f}", "median", "largest"], rows)


def _missing(cells: Sequence[Entry]) -> str:
    reasons: dict[str, list[str]] = {}
    for entry in cells:
        for way, reason in entry.facts["missing"].items():
            name = f"{entry.model} N={entry.samples} {INITIALS[entry.method]}"
            reasons.setdefault(f"{way}: {reason}", []).append(name)
    lines = [f"- {reason} ({', '.join(names)})" for reason, names in reasons.items()]
    return "\n".join(["Not measured:", "", *lines]) if lines else ""


def _first(cells: Sequence[Entry]) -> str:
    if not cells:
        return ""

    def show(facts: Facts) -> str:
        middle = {way: statistics.median(times) for way, times in facts["seconds"].items()}
        explain = middle.pop("explain")
        return f"{explain:.2g} ({min(middle.values()):.2g})"

    title = "Seconds of the first call of a process (of the framework's first gradient):"
    return f"{title}\n\n{_grid(cells, {name: (name, show) for name in FRAMEWORKS})}"


def _memory(cells: Sequence[Entry]) -> str:
    if not cells:
        return ""
    steps = sorted({entry.steps or 0 for entry in cells})
    rows = []
    for key in dict.fromkeys((*entry.row, entry.framework) for entry in cells):
        here = {e.steps: e for e in cells if (*e.row, e.framework) == key}
        one = next(iter(here.values()))
        line = [f"{MODELS[one.model].title}, N = {one.samples:,}", one.framework]
        line.append(f"{statistics.median(e.facts['tile'] for e in here.values()):.1f}")
        for count in steps:
            facts = here[count].facts if count in here else None
            ratio = facts["ratio"] if facts else None
            over = "" if ratio is None else f" ({ratio:.2f})"
            line.append(f"{facts['mib']['explain']:.1f}{over}" if facts else "-")
        rows.append(line)
    title = "Peak memory of Integrated Gradients above the loaded model in MiB (over one tile):"
    head = ["model", "framework", "one tile", *(f"{count:,} steps" for count in steps)]
    return f"{title}\n\n{markdown(head, rows)}"


def _varying(found: Facts) -> str:
    if not found:
        return ""
    rows = []
    for key, facts in found.items():
        framework, method = key.split()
        own, bare = facts["polyattr"], facts["bare"]
        shown = [f"{own['seconds']:.2f}", _compiled(own), f"{bare['seconds']:.2f}", _compiled(bare)]
        rows.append([method, framework, *shown])
    most = max(facts["most"] for facts in found.values())
    title = f"1 to {most} samples in turn, MLP; bare: the framework's gradient at each size in turn"
    compiled = "traces (compilations)"
    head = ["method", "framework", "seconds", compiled, "bare: seconds", f"bare: {compiled}"]
    return f"{title}:\n\n{markdown(head, rows)}"


def _compiled(counts: Facts) -> str:
    compiled = counts["compiled"]
    return str(counts["traces"]) + ("" if compiled is None else f" ({compiled})")


def _growth(cells: Sequence[Entry]) -> str:
    if not cells:
        return ""
    rows = []
    named = {(e.samples, e.steps): e.facts["rows"] for e in cells}
    frameworks = [name for name in FRAMEWORKS if name in {e.framework for e in cells}]
    for samples, steps in named:
        line = [f"{samples:,} x {steps:,}"]
        for framework in frameworks:
            here = [
                e for e in cells if (e.framework, e.samples, e.steps) == (framework, samples, steps)
            ]
            line += [_grown(e.facts) for e in here] or ["-"]
        rows.append(line)
    title = "Integrated Gradients of a small MLP: microseconds per row (of the limit), MiB:"
    return f"{title}\n\n{markdown(['N x steps', *frameworks], rows)}"


def _grown(facts: Facts) -> str:
    own, limit = (1e6 * facts[name] / facts["rows"] for name in ("explain", "limit"))
    return f"{own:.3g} ({limit:.3g}), {facts['mib']:.1f}"


def _to_error(name: str, facts: Facts) -> str:
    rows = []
    for row in facts["rows"]:
        if "missing" in row:
            rows.append([f"{row['way']}: {row['missing']}", "-", "-", "-"])
            continue
        shown = [f"{row['gradients']:.1f}", f"{row['error']:.4f}", f"{row['seconds']:.3g}"]
        rows.append([row["way"], *shown])
    head = ["way", "gradients per sample", "median error", "seconds"]
    return f"Time to the same median L1 error of the map, relative to its size ({name}):\n\n" + (
        markdown(head, rows)
    )
