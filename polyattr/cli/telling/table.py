"""A result as a table in the terminal, and a line on what to distrust."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from polyattr.cli.lines import plain
from polyattr.cli.telling.facts import facts, top
from polyattr.errors import MissingExtraError
from polyattr.results.attribution import Attribution
from polyattr.results.showing import elided

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_FEATURES, _WIDTH = 3, 120


def terminal() -> Console:
    """Opens standard output for writing.

    Raises:
        MissingExtraError: rich is not installed.
    """
    try:
        from rich.console import Console
    except ImportError as error:
        raise MissingExtraError("a table in the terminal", "cli") from error
    width = None if sys.stdout.isatty() else _WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width, soft_wrap=False)


def print_result(result: Attribution, doubts: Sequence[str], rows: int, title: str) -> None:
    """Prints the table, and what to distrust.

    Args:
        result: With NumPy arrays.
        doubts: What to distrust.
        rows: Most samples to print.
        title: What stands above.
    """
    console = terminal()
    console.print(_table(result, rows, title))
    rest = len(result.scores) - rows
    if rest > 0:
        console.print(f"and {rest} more: --rows prints them, --json has them all", style="dim")
    said = f"method: {plain(elided(result.method), 300)}, on {plain(result.backend)}"
    console.print(said, soft_wrap=True)
    console.print(f"what to distrust: {'; '.join(doubts) or _nothing(result)}.", soft_wrap=True)


def _table(result: Attribution, rows: int, title: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    known = facts(result)
    shown = result[:rows] if len(result) > rows else result
    most = top(shown, _FEATURES)
    table = Table(title=plain(title, 110), title_justify="left")
    heads = ["sample", *(["class"] if "class" in known else []), "score"]
    heads += ["gap"] if "gap" in known else []
    heads += ["error", "converged", "largest"]
    for head in heads:
        right = head in {"score", "gap", "error"}
        table.add_column(head, justify="right" if right else "left", no_wrap=right)
    for i in range(len(shown)):
        name = known["name"][i] if "name" in known else i
        cells = [plain(name, 40)]
        cells += [plain(known["class"][i], 30)] if "class" in known else []
        cells += [_number(float(known["score"][i]))]
        cells += [_number(float(known["gap"][i]))] if "gap" in known else []
        cells += [_percent(float(known["error"][i])), "yes" if known["converged"][i] else "no"]
        cells += ["; ".join(f"{plain(label, 30)} {_number(v, '+')}" for label, v in most[i])]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _number(value: float, sign: str = "") -> str:
    return format(value, f"{sign}.4g") if math.isfinite(value) else str(value)


def _percent(value: float) -> str:
    if not math.isfinite(value):
        return "not known"
    return "exact" if value == 0 else f"{100 * value:.2g}%"


def _nothing(result: Attribution) -> str:
    return "nothing stands out" if len(result.scores) else "there is no sample"
