"""Prints what `accelerator.py` found, as the tables of docs/accelerators.md, from its JSON files.

``python benchmarks/accelerator_page.py torch.json jax.json --into docs/accelerators.md`` puts them
there. Files of one framework and card are put together, and of a part that is in several the last
one counts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Found = dict[str, Any]
"""The contents of a file."""

MARKS = {True: "passes", False: "FAILS", None: "figures"}
BEGINS, ENDS = "<!-- found -->", "<!-- found: end -->"
CELLS = ("bare", "auto", "best")


def page(files: Iterable[Found]) -> str:
    """Returns Markdown: for each framework where it was run, its parts and its times."""
    together: dict[tuple[str, str], Found] = {}
    for file in files:
        key = file["framework"], file["card"]
        parts = {part["name"]: part for part in file["parts"]}
        earlier = together.get(key, {"parts": {}})["parts"]
        together[key] = {**file, "parts": {**earlier, **parts}}
    return "\n\n".join(map(_section, together.values())) + "\n"


def _section(found: Found) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    card = found["card"] if found["accelerated"] else f"{found['card']}, NO ACCELERATOR"
    head = f"**{found['framework']}** on {card}: {versions}, Python {found['python']}, "
    lines = [head + found["date"][:10] + ".", "", *_table(("part", "", "found"))]
    times: list[str] = []
    for part in found["parts"].values():
        said = part["said"]
        if _is_times(part["figures"]):
            times = _times(part["figures"])
            said = "below"
        lines.append(_row((part["part"], MARKS[part["passed"]], said.replace("|", "/"))))
    return "\n".join([*lines, *([""] if times else []), *times])


def _is_times(figures: Found) -> bool:
    cells = [cell for cell in figures.values() if isinstance(cell, dict)]
    return bool(cells) and all("milliseconds" in cell for cell in cells)


def _times(figures: Found) -> list[str]:
    """A row for each cell: milliseconds, and times the bare gradients'."""
    head = ("milliseconds of a warm call", "bare gradients", "auto", "at their tile", "the tile")
    lines = _table(head)
    for name, cell in figures.items():
        took = cell["milliseconds"]
        bare, auto, best = (f"{took[kind]:.2f}" for kind in CELLS)
        ratios = f"{auto} ({cell['auto']:.1f})", f"{best} ({cell['best']:.1f})"
        lines.append(_row((name, bare, *ratios, str(cell["tile"]))))
    return lines


def _table(head: Sequence[str]) -> list[str]:
    return [_row(head), "|---" * len(head) + "|"]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main(given: Sequence[str] | None = None) -> None:
    """Reads the files that are named, and prints."""
    parser = argparse.ArgumentParser(description="Prints files of accelerator.py as Markdown.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, help=f"a page with {BEGINS} and {ENDS} in it")
    asked = parser.parse_args(given)
    found = page(json.loads(file.read_text(encoding="utf-8")) for file in asked.files)
    if asked.into is None:
        print(found, end="")
        return
    before, begins, rest = asked.into.read_text(encoding="utf-8").partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not (begins and ends):
        raise SystemExit(f"{asked.into} holds no {BEGINS} ... {ENDS}, for tables in between")
    text = f"{before}{begins}\n\n{found}\n{ends}{after}"
    asked.into.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
