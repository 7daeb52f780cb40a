"""A result in words, and in a notebook."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np

from polyattr.errors import InputError, MissingExtraError
from polyattr.question.structure import flatten
from polyattr.results.exports import axes
from polyattr.results.record import Record

Array = np.ndarray[Any, Any]

SHOWN = 5
"""Samples in the table and the picture of a notebook."""
_LONGEST = 300
_LEFT_OUT = re.compile(r", \w+=None\b")
_LINES = re.compile(r"=[^=]*\n[^=]*(?=, \w+=|\)$)")
_ARRAYS = ("array(", "tensor(", "Array(")


def text(record: Record) -> str:
    """Returns what stands for a result in a terminal: no array, and the worst sample."""
    *targets, n = record.scores.shape
    samples = f"{n} samples" + "".join(f" at {count} targets" for count in targets)
    method = elided(record.method)
    more = len(record.methods) - 1
    method += f" and {more} other setting{'s' * (more > 1)}" if more else ""
    lines = [f"<Attribution of {samples} by {method} on {record.backend}: {_maps(record)}"]
    if n:
        lines += [_error(record)]
        lines += [] if record.completeness_gap is None else [_gap(record, record.completeness_gap)]
    return "\n  ".join(lines) + ">"


def _maps(record: Record) -> str:
    structure, leaves = flatten(record.values, "values")
    native = record._native
    shown = [
        f"{name} {leaf.dtype.name if native is None else native.dtype(leaf)} {tuple(leaf.shape)}"
        for name, leaf in zip(structure.names, leaves, strict=True)
        if leaf is not None
    ]
    return ", ".join(shown)


def _error(record: Record) -> str:
    error, total = record.error, record.error.size
    unknown, late = int(np.isnan(error).sum()), int((~record.converged).sum())
    said = "error, relative to the magnitude of each map: "
    if unknown == total:
        return f"{said}not known"
    at = int(np.argmax(np.where(np.isnan(error), -np.inf, error)))
    said += f"largest error {error.flat[at]:.3g}, {_place(record, at)}"
    said += f", not known for {unknown}" if unknown else ""
    return f"{said}; {late or 'none'} of {total} not converged"


def _gap(record: Record, gap: Array) -> str:
    size = np.where(np.isnan(gap), -np.inf, np.abs(gap))
    at = int(np.argmax(size))
    said = "completeness gap, in units of the score"
    if not np.isfinite(size.flat[at]):
        return f"{said}: not finite"
    return f"{said}: largest gap {size.flat[at]:.3g}, {_place(record, at)}"


def _place(record: Record, at: int) -> str:
    """Names one of the numbers per sample."""
    *target, sample = np.unravel_index(at, record.scores.shape)
    said = f"sample {int(sample)}"
    if record.names is not None and record.names.rows is not None:
        said += f" ({_short(record.names.rows[int(sample)])})"
    return said + "".join(f" at target {int(number)}" for number in target)


def elided(method: str) -> str:
    """Returns settings without the numbers of arrays among them, and without what is None."""
    kept, place = "", 0
    while place < len(method):
        opened = next((name for name in _ARRAYS if method.startswith(name, place)), None)
        if opened is None:
            kept, place = kept + method[place], place + 1
            continue
        kept, depth, place = f"{kept}{opened}...)", 1, place + len(opened)
        while depth and place < len(method):
            depth += {"(": 1, ")": -1}.get(method[place], 0)
            place += 1
    return _short(_LEFT_OUT.sub("", _LINES.sub("=...", kept)), _LONGEST)


def _short(said: str, most: int = 40) -> str:
    return said if len(said) <= most else f"{said[: most - 3]}..."


def page(record: Record, worst: Any, where: list[int], draw: Callable[[], Any]) -> str:
    """Returns what stands for a result in a notebook: a table, and a picture if it can be drawn.

    Args:
        record: The result.
        worst: Its worst samples, the same few that are drawn.
        where: Their places in the result, which name those without a label.
        draw: Draws them.
    """
    summary = escape(text(record)).replace("\n", "<br>")
    rows = "".join(_row(cells) for cells in _cells(worst, where))
    head = "".join(f"<th>{escape(name)}</th>" for name in _heads(worst))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    said = f"<p>The {len(worst)} worst of {len(record.scores.T)} samples:</p>" if rows else ""
    return f"<div><p>{summary}</p>{said}{table}{_picture(draw) if rows else ''}</div>"


def _heads(record: Record) -> list[str]:
    heads = ["sample", *(["target"] if record.scores.ndim == 2 else [])]
    heads += [] if axes.classes(record) is None else ["class"]
    heads += ["score", "error", "converged"]
    return heads + ([] if record.completeness_gap is None else ["gap"])


def _cells(record: Record, where: list[int]) -> list[list[str]]:
    """What the table says: a row for each sample, or for each sample and target."""
    labels = record.names.rows if record.names is not None else None
    names, asked, found = labels or where, axes.classes(record), []
    for at, sample in _each(record):
        cells = [str(names[sample]), *(str(place) for place in at[:-1])]
        cells += [] if asked is None else [str(asked[at])]
        cells += [f"{record.scores[at]:.4g}", f"{record.error[at]:.3g}"]
        cells.append("yes" if record.converged[at] else "no")
        cells += [] if record.completeness_gap is None else [f"{record.completeness_gap[at]:.3g}"]
        found.append([_short(cell) for cell in cells])
    return found


def _each(record: Record) -> list[tuple[tuple[int, ...], int]]:
    shape = record.scores.shape
    places = [tuple(map(int, at)) for at in np.ndindex(*shape[::-1])]
    return [(at[::-1], at[0]) for at in places][: 4 * SHOWN]


def _row(cells: list[str]) -> str:
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _picture(draw: Callable[[], Any]) -> str:
    try:
        drawn = draw()
    except (MissingExtraError, InputError):  # no matplotlib, or nothing that it can draw
        return ""
    figure = drawn if hasattr(drawn, "savefig") else drawn.figure
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    data = base64.b64encode(stream.getvalue()).decode()
    return f'<img alt="attributions" src="data:image/png;base64,{data}">'
