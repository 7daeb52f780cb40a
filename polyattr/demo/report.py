"""The demo's findings as text and a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from polyattr.errors import MissingExtraError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from polyattr.demo.findings import Explained, Shown, Tour


def terminal() -> Console:
    """Opens the terminal for writing.

    Raises:
        MissingExtraError: rich is not installed.
    """
    try:
        from rich.console import Console
    except ImportError as error:
        raise MissingExtraError("the demo's table", "demo") from error
    return Console(highlight=False)


def print_report(tour: Tour, console: Console) -> None:
    """Prints the table of methods, the misread digits and where the picture is."""
    console.print(_table(tour))
    console.print(_misread(tour.shown), soft_wrap=True)
    console.print(f"Picture: {tour.picture}", soft_wrap=True, markup=False)


def _table(tour: Tour) -> Table:
    from rich.table import Table

    count = len(tour.shown.labels)
    title = f"{count} digits explained on {tour.framework} ({', '.join(tour.devices)})"
    table = Table(title=title, title_justify="left", caption_justify="left")
    table.add_column("method", no_wrap=True)
    for heading in ("time", "gradients", "largest gap", "largest error"):
        table.add_column(heading, justify="right")
    for entry in tour.explained:
        table.add_row(*_cells(entry))
    table.caption = "time with compilation, gap in logits, error relative to the map"
    return table


def _cells(entry: Explained) -> tuple[str, ...]:
    found = entry.attribution
    gap = found.completeness_gap
    return (
        entry.method.name,
        f"{entry.seconds:.2f} s",
        f"{int(np.sum(found.evaluations)):,}",
        "" if gap is None else f"{float(np.abs(gap).max()):.4f}",
        f"{float(found.error.max()):.1%}" if found.error.any() else "exact",
    )


def _misread(shown: Shown) -> str:
    wrong = shown.labels != shown.predicted
    count, total = len(shown.misread), shown.held_out
    if not count:
        return f"The network reads all {total:,} held-out digits right."
    parts = [
        f"#{place} reads {predicted}, is {label}"
        for place, predicted, label in zip(
            shown.places[wrong], shown.predicted[wrong], shown.labels[wrong], strict=True
        )
    ]
    more = count - len(parts)
    rest = f"; and {more} more" if more else ""
    return f"Misread, {count} of {total:,} held-out digits: {'; '.join(parts)}{rest}."
