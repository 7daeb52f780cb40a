"""Methods beside each other: a row per method, a column per sample, each map with its error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief
from polyattr.plots.drawing.cells import Cell, draw_cell, legend
from polyattr.plots.drawing.colours import FOR
from polyattr.plots.drawing.figure import FAINT, INK, strip
from polyattr.plots.drawing.page import Page
from polyattr.plots.drawing.pictures import channels_last, draw_input
from polyattr.plots.image import heat_map
from polyattr.plots.reading.samples import Samples, read_samples
from polyattr.plots.reading.table import Table, in_lines, read_table
from polyattr.plots.reading.words import shortened

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_SAMPLES = 16
# Inches.
LEFT, RIGHT, CAPTION, BETWEEN = 1.9, 0.2, 0.2, 0.28
SMALLEST, LARGEST, PAGE = 0.92, 1.7, 9.0


def compare(
    results: Any, inputs: Any = None, *, cmap: Any = None, samples: Any = None, which: Any = None,
    labels: Any = None, captions: Any = None, pool: int = 1, heading: str | None = None,
    subheading: str | None = None, about_inputs: str = "input",
) -> Figure:  # fmt: skip
    """Draws what several methods say of the same samples, with class, score, gap and error.

    Each map has a scale of its own. What is within two standard errors of zero fades to grey. Below
    a map stand its completeness gap, if it has one, and its error; in red where that is more than
    was asked for. Takes the arguments `cmap`, `pool` and `which` of `image` and raises its errors.

    Args:
        results: An `Attribution` for each method, in a dict by the names of the rows, whose second
            line is written smaller; or a list, whose rows are called by the methods.
        inputs: What was explained, (N, ...), drawn above the maps; None for what the results kept.
        samples: Which of the N samples; None for the first 16. Those of T targets stand one target
            after the other.
        labels: (N,) the classes that are right: samples of another target are written in red.
        captions: One text for each sample that is drawn, in place of its target.
        heading: Over everything.
        subheading: Below the heading.
        about_inputs: What the row of inputs is called.

    Returns:
        A figure that pyplot does not know; a notebook shows it, `savefig` writes it.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import plots
        >>> model, x = lambda x: (x**2).sum((1, 2)), torch.rand(3, 8, 8)
        >>> kinds = polyattr.Saliency, polyattr.IntegratedGradients
        >>> len(plots.compare([kind(model).attribute(x) for kind in kinds], x).axes) > 9
        True
    """
    rows = _rows(results, inputs, which)
    table = read_table(rows, samples, labels, captions, MOST_SAMPLES)
    return _page(rows, table, (cmap, pool), (heading, subheading, about_inputs))


def _page(
    rows: list[tuple[str, Samples]],
    table: Table,
    style: tuple[Any, int],
    words: tuple[str | None, str | None, str],
) -> Figure:
    heading, subheading, about = words
    cell = float(np.clip(PAGE / len(table.columns), SMALLEST, LARGEST))
    top = _top(heading, subheading, grouped=table.wrong is not None)
    x = _columns(table, cell)
    maps = [(name, every, [_cell(every, i, *style) for i in table.columns]) for name, every in rows]
    pictured = next((every for _, every in rows if _drawable(every)), None)
    y = top + (0.0 if pictured is None else cell + 0.2)
    page = Page(x[-1] + cell + RIGHT, y + len(maps) * (cell + CAPTION + 0.08) + 0.62)
    _headings(page, heading, subheading)
    _captions(page, table, x, top, cell)
    if pictured is not None:
        _inputs(page, pictured, table, x, (top, cell), about)
    for name, every, cells in maps:
        _row(page, name, every, cells, table, x, (y, cell))
        y += cell + CAPTION + 0.08
    far = not all(table.exactness(every, i)[1] for _, every in rows for i in table.columns)
    legend(page, LEFT, y + 0.16, [one for *_, cells in maps for one in cells], far=far)
    return page.figure


def _rows(results: Any, inputs: Any, which: Any) -> list[tuple[str, Samples]]:
    if isinstance(results, Mapping):
        given = [(str(name), result) for name, result in results.items()]
    elif isinstance(results, Sequence) and not isinstance(results, str | bytes):
        given = list(zip(_called(results), results, strict=True))
    else:
        raise InputTypeError(
            f"results is {brief(results)}; expected a dict of attributions by name, or a list"
        )
    if not given:
        raise InputError("results is empty; expected at least one attribution")
    rows = [(name, read_samples(result, inputs, which=which)) for name, result in given]
    for name, every in rows:
        if every.result is None:
            raise InputTypeError(
                f"results has a {type(dict(given)[name]).__name__} for {name!r}; expected an "
                f"Attribution, as `attribute` returns"
            )
        if every.values.shape != rows[0][1].values.shape:
            raise InputError(
                f"results of {name!r} have shape {every.values.shape}, those of {rows[0][0]!r} "
                f"{rows[0][1].values.shape}; expected the same samples"
            )
        _same_rows(name, every, *rows[0])
        if every.inputs is not None and len(every.inputs) != len(every):
            raise InputError(
                f"inputs of shape {every.inputs.shape} are not {len(every)} samples; expected what "
                f"was explained, sample by sample"
            )
    return rows


def _same_rows(name: str, every: Samples, first: str, known: Samples) -> None:
    """Checks that samples which have names are the same ones, in the same order."""
    for i, (ours, theirs) in enumerate(
        zip(every.names.rows or (), known.names.rows or (), strict=False)
    ):
        if ours != theirs:
            raise InputError(
                f"sample {i} of {name!r} is called {ours!r}, that of {first!r} {theirs!r}; "
                f"expected the same samples in the same order"
            )


def _called(results: Sequence[Any]) -> list[str]:
    """The names of methods; how they were set, where one name stands for several."""
    parts = [str(getattr(result, "method", result)).partition("(") for result in results]
    names = [name for name, *_ in parts]
    return [
        f"{name}\n{shortened(rest.removesuffix(')'), 30)}" if names.count(name) > 1 else name
        for name, _, rest in parts
    ]


def _cell(every: Samples, i: int, cmap: Any, pool: int) -> Cell:
    one = every.one(i)
    if one.values.ndim == 1:
        return Cell(one, None, cmap)
    return Cell(one, heat_map(one, cmap, pool=pool), cmap)


def _drawable(every: Samples) -> bool:
    return every.inputs is not None and every.inputs.ndim in {3, 4}


def _top(heading: str | None, subheading: str | None, *, grouped: bool) -> float:
    """Where the first row begins."""
    above = (0.5 if heading else 0.15) + (0.32 if subheading else 0.0)
    return above + 0.5 + (0.28 if grouped else 0.0)


def _columns(table: Table, cell: float) -> list[float]:
    """Left edges; samples of another kind than the one before stand a little apart."""
    apart = np.zeros(len(table.columns))
    if table.wrong is not None:
        apart[1:] = np.cumsum(np.diff(table.wrong.astype(int)) != 0) * BETWEEN
    return [float(x) for x in LEFT + np.arange(len(apart)) * (cell + 0.08) + apart]


def _headings(page: Page, heading: str | None, subheading: str | None) -> None:
    if heading:
        page.write(0.2, 0.3, heading, fontsize=17, weight="bold")
    if subheading:
        page.write(0.2, 0.62 if heading else 0.3, subheading, fontsize=10, color=FAINT)


def _captions(page: Page, table: Table, x: Sequence[float], top: float, cell: float) -> None:
    letters = int(cell * 15)
    for i, left in enumerate(x):
        wrong = table.wrong is not None and bool(table.wrong[i])
        style: dict[str, Any] = {"color": FOR, "weight": "bold"} if wrong else {}
        middle = left + cell / 2
        caption = shortened(table.captions[i], letters)
        page.write(middle, top - 0.28, caption, ha="center", fontsize=8.5, **style)
        page.write(middle, top - 0.11, table.scores[i], ha="center", fontsize=7, color=FAINT)
    if table.wrong is None:
        return
    starts = np.flatnonzero(np.diff(table.wrong.astype(int), prepend=-1)).tolist()
    for start, end in zip(starts, [*starts[1:], len(x)], strict=True):
        wrong = bool(table.wrong[start])
        colour = FOR if wrong else INK
        title = "wrong" if wrong else "right"
        page.write(x[start], top - 0.56, title, color=colour, weight="bold", fontsize=10)
        line = page.panel(x[start], top - 0.45, x[end - 1] + cell - x[start], 0.012)
        line.set_facecolor(colour)
        strip(line)


def _inputs(
    page: Page,
    every: Samples,
    table: Table,
    x: Sequence[float],
    place: tuple[float, float],
    what: str,
) -> None:
    y, cell = place
    for left, i in zip(x, table.columns, strict=True):
        axes = page.panel(left, y, cell, cell)
        picture = np.zeros((1, 1)) if every.inputs is None else every.inputs[i]
        draw_input(axes, channels_last("inputs", picture))
        strip(axes)
    page.write(LEFT - 0.15, y + cell / 2, what, ha="right", color=FAINT)


def _row(
    page: Page,
    name: str,
    every: Samples,
    cells: Sequence[Cell],
    table: Table,
    x: Sequence[float],
    place: tuple[float, float],
) -> None:
    y, cell = place
    title, _, small = name.partition("\n")
    lines = in_lines(title, 19)
    middle = y + cell / 2
    for number, line in enumerate(reversed(lines)):
        page.write(LEFT - 0.15, middle - 0.09 - 0.16 * number, line, ha="right", weight="bold")
    page.write(LEFT - 0.15, middle + 0.1, small, ha="right", color=FAINT, fontsize=7.5)
    below = y + cell + CAPTION / 2 + 0.02
    page.write(LEFT - 0.15, below, table.what(every), ha="right", fontsize=7, color=FAINT)
    for left, i, one in zip(x, table.columns, cells, strict=True):
        draw_cell(page.panel(left, y, cell, cell), one)
        text, good = table.exactness(every, i)
        style: dict[str, Any] = {} if good else {"color": FOR, "weight": "bold"}
        page.write(left + cell / 2, below, text, ha="center", fontsize=7, **style)
