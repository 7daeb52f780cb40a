"""Tables as text: a line for each sample, a column for each feature, whose name is kept."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.cli.exits import InputFileError, WrongUseError
from polyattr.cli.inputs.samples import Array, Reading, Samples
from polyattr.cli.inputs.sizes import check_size
from polyattr.cli.lines import plain
from polyattr.errors import nearest

_TRUTH = {"true": 1.0, "false": 0.0}
_SHOWN = 4


def read_csv(path: Path, reading: Reading) -> Samples:
    """Reads the columns of a text whose fields are parted by comma, semicolon or tab.

    Raises:
        InputFileError: Not such a text, or a column that is no number.
        WrongUseError: A column is named that is not there.
    """
    check_size(path, path.stat().st_size, reading)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            stream.seek(0)
            parting = max(",;\t", key=first.count)
            lines = [line for line in csv.reader(stream, delimiter=parting, strict=True) if line]
    except (csv.Error, UnicodeDecodeError) as error:
        raise InputFileError(f"{str(path)!r} is no table: {plain(error, 120)}") from error
    if not lines:
        raise InputFileError(f"{str(path)!r} is empty; expected a line with the columns' names")
    names = [cell.strip() for cell in lines[0]]
    if reading.header:
        _check_names(names, path)
        lines = lines[1:]
    else:
        names = [f"column {number}" for number in range(1, len(names) + 1)]
    for number, line in enumerate(lines, start=1 + reading.header):
        if len(line) != len(names):
            raise InputFileError(
                f"{str(path)!r}: row {number} has {len(line)} cells, the first {len(names)}"
            )
    return chosen_columns(names, list(zip(*lines, strict=True)), path, reading)


def chosen_columns(
    names: Sequence[str], columns: Sequence[Sequence[Any]], path: Path, reading: Reading
) -> Samples:
    """Takes the columns that are features, as numbers, and the names of samples.

    Raises:
        InputFileError: One is no number, or there are none.
        WrongUseError: A column is named that is not there.
    """
    named = ("--id-column", (reading.id_column,) if reading.id_column else ())
    for option, wanted in (("--drop", reading.drop), ("--columns", reading.columns), named):
        for name in wanted:
            if name not in names:
                said = nearest(name, names, count=1)
                listed = plain(", ".join(names), 200)
                raise WrongUseError(
                    f"{option} names a column {name!r} that {str(path)!r} has not.{said} It has: "
                    f"{listed}"
                )
    if not columns:
        raise InputFileError(f"{str(path)!r} has names of columns and no rows")
    by_name = dict(zip(names, columns, strict=True))
    left_out = {*reading.drop, reading.id_column}
    kept = [name for name in reading.columns or names if name not in left_out]
    if not kept:
        raise InputFileError(f"no column of {str(path)!r} is left; expected one for each feature")
    _check_numbers({name: by_name[name] for name in kept}, path)
    table = np.stack([_numbers(by_name[name]) for name in kept], axis=1)
    _check_whole(table, kept, path)
    rows = None if reading.id_column is None else tuple(map(str, by_name[reading.id_column]))
    return Samples(table, rows=rows, features=tuple(kept))


def _check_names(names: list[str], path: Path) -> None:
    if all(_number(name) is not None for name in names):
        raise InputFileError(
            f"the first line of {str(path)!r} holds numbers; expected names of columns: pass "
            f"--no-header where it has none"
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputFileError(f"{str(path)!r} has more than one column {twice[0]!r}; rename them")


def _check_numbers(columns: dict[str, Sequence[Any]], path: Path) -> None:
    wrong = {}
    for name, cells in columns.items():
        odd = next((cell for cell in cells if _number(cell) is None), None)
        if odd is not None:
            wrong[name] = odd
    if wrong:
        named = [f"{name!r} (such as {plain(cell, 20)!r})" for name, cell in wrong.items()]
        more = ", ..." if len(named) > _SHOWN else ""
        drops = " ".join(f"--drop {name!r}" for name in list(wrong)[:_SHOWN])
        raise InputFileError(
            f"{len(wrong)} of {len(columns)} columns of {str(path)!r} are no numbers: "
            f"{', '.join(named[:_SHOWN])}{more}; leave out what the model does not take, {drops}, "
            f"or name samples by it, --id-column"
        )


def _check_whole(table: Array, names: list[str], path: Path) -> None:
    missing = np.argwhere(~np.isfinite(table))
    if len(missing):
        row, column = map(int, missing[0])
        raise InputFileError(
            f"{str(path)!r} has {len(missing)} cells without a finite number, the first in sample "
            f"{row}, column {names[column]!r}; fill them as in training, or leave the rows out"
        )


def _numbers(cells: Sequence[Any]) -> Array:
    return np.array([_number(cell) for cell in cells], dtype=np.float64)


def _number(cell: Any) -> float | None:
    """Reads a cell; one that is empty is no number yet, which is said of the row."""
    text = str(cell).strip()
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if text.lower() in {"", "na", "nan", "null", "none"}:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        return None
