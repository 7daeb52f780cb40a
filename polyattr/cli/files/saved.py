"""Saved results, read back."""

from __future__ import annotations

from pathlib import Path

from polyattr.cli.exits import InputFileError
from polyattr.cli.lines import told
from polyattr.errors import PolyattrError
from polyattr.results.attribution import Attribution, load


def load_result(path: Path) -> Attribution:
    """Reads what `explain --out` or `Attribution.save` wrote.

    Raises:
        InputFileError: It is not there, or no such file.
    """
    try:
        return load(path).to_numpy()
    except OSError as error:
        said = error.strerror or told(error)
        raise InputFileError(f"{str(path)!r} cannot be read: {said}") from error
    except PolyattrError as error:
        raise InputFileError(told(error)) from error
