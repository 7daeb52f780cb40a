"""What --target and --classes mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from polyattr.cli.exits import InputFileError, WrongUseError
from polyattr.errors import nearest

_MOST = 1 << 22
"""Bytes of a file of names."""


def read_classes(path: Path | None) -> dict[int, str] | None:
    """Reads names of classes: a line for each, or JSON: a list, or names by index.

    Raises:
        InputFileError: Neither.
    """
    if path is None:
        return None
    try:
        if path.stat().st_size > _MOST:
            raise InputFileError(f"--classes {str(path)!r} is no list of names: it is too long")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputFileError(f"--classes {str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputFileError(f"--classes {str(path)!r} is no text") from error
    if path.suffix.lower() == ".json":
        return _from_json(text, path)
    names = [line.strip() for line in text.splitlines()]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise InputFileError(f"--classes {str(path)!r} is empty; expected a name on each line")
    return dict(enumerate(names))


def _from_json(text: str, path: Path) -> dict[int, str]:
    try:
        value: Any = json.loads(text)
        if isinstance(value, list):
            return {index: str(name) for index, name in enumerate(value)}
        return {int(index): str(name) for index, name in value.items()}
    except (ValueError, AttributeError, RecursionError) as error:
        raise InputFileError(
            f"--classes {str(path)!r} is neither a JSON list of names nor names by index"
        ) from error


def read_target(text: str | None, classes: dict[int, str] | None) -> int | tuple[int, ...] | None:
    """Reads a class: its index, its name, or several indices of one output, ``3,5``.

    Returns:
        The index or indices; None for the predicted class.

    Raises:
        WrongUseError: No such class.
    """
    if text is None or text == "predicted":
        return None
    named = [index for index, name in (classes or {}).items() if name == text]
    if len(named) == 1:
        return named[0]
    if len(named) > 1:
        raise WrongUseError(f"--target {text!r} is the name of {len(named)} classes: {named}")
    parts = text.split(",")
    if all(part.strip().isdecimal() for part in parts):
        indices = tuple(int(part) for part in parts)
        return indices[0] if len(indices) == 1 else indices
    known = list((classes or {}).values())
    said = nearest(text, known, count=1)
    cure = said or ("" if known else " Names are known with --classes FILE")
    raise WrongUseError(
        f"--target {text!r} is neither the index of a class, from 0, nor a name of one.{cure}"
    )
