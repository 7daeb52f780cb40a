"""Writes a report: all of it, or nothing."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import uuid
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from polyattr.errors import InputError, InputTypeError, MissingExtraError, brief
from polyattr.reports.content import Content, content_of
from polyattr.results.attribution import Attribution
from polyattr.results.parts.cutting import positions

_SUFFIXES = (".html", ".htm")


def write_report(
    result: Attribution, path: str | PathLike[str], *, inputs: Any = None,
    title: str | None = None, samples: Any = None, date: object = None,
) -> Path:  # fmt: skip
    """Writes a result as one page of HTML, which asks for nothing beside itself.

    It says what is to be distrusted and why, and has a table of all samples, pictures of up to 200
    with their errors, settings and versions. The same result gives the same bytes.

    Args:
        result: Of at least one sample.
        path: Where to write; ``.html`` is appended if it does not end so, or with ``.htm``. As by
            `save` a file of that name is replaced, once all is written.
        inputs: What was explained, (N, ...), in the containers of the values; None for what the
            result kept, as with ``keep_inputs=True``.
        title: Of the page; None for one that says what it is.
        samples: Which samples are drawn, as ``result[samples]`` takes them; None for all, or of
            more than 200 those with the largest errors and some with the smallest (of 60 series,
            sequences or interactions, which take longer to draw).
        date: Of the report, as it is to stand there; None for none.

    Returns:
        Where it was written.

    Raises:
        MissingExtraError: Jinja2 or matplotlib is not installed.
        InputError: There are no samples, or `inputs` or `samples` do not belong to them.
        InputTypeError: An argument is of another type.

    Example:
        >>> import jinja2, numpy as np, polyattr, torch
        >>> from polyattr.reports import write_report
        >>> method = polyattr.IntegratedGradients(lambda x: (x**2).sum(1), steps=20)
        >>> write_report(method.attribute(torch.ones(3, 2)), "squares").name
        'squares.html'
    """
    place = _checked(result, path, title)
    chosen = None if samples is None else positions(samples, len(result))
    _write(place, render(content_of(result, inputs, chosen, title, _said(date))))
    return place


def _checked(result: Any, path: Any, title: Any) -> Path:
    """Returns where to write; what can be wrong is told before anything is drawn."""
    if not isinstance(result, Attribution):
        raise InputTypeError(
            f"result is {brief(result)}; expected what attribute() or polyattr.load() returns"
        )
    if not isinstance(title, str | None):
        raise InputTypeError(f"title is {brief(title)}; expected a text, or None")
    place = _place(path)
    if not len(result):
        raise InputError("the result is empty; expected at least one sample to report on")
    try:
        import jinja2  # noqa: F401 - asked for before anything is computed
        import matplotlib  # noqa: F401 - likewise
    except ImportError as error:
        raise MissingExtraError("a report", "report") from error
    return place


def _said(date: object) -> str:
    return "" if date is None else str(date)


def render(content: Content) -> str:
    """Writes a page; what comes from the user is text in it, whatever it holds."""
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    script = _file("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    environment = Environment(
        loader=FunctionLoader(_file), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("report.html").render(
        page=content,
        style=Markup(_file("report.css")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - likewise
        digest=f"sha256-{digest}",
    )


def _file(name: str) -> str:
    return files("polyattr.reports").joinpath("page", name).read_text(encoding="utf-8")


def _place(path: Any) -> Path:
    """Where to write, checked before anything is drawn."""
    # A number would be taken for an open file's descriptor.
    if not isinstance(path, str | bytes | PathLike):
        raise InputTypeError(f"path is {path!r}; expected a str or a path")
    name = os.fsdecode(path)
    place = Path(name if name.lower().endswith(_SUFFIXES) else f"{name}.html")
    if place.is_dir():
        raise IsADirectoryError(f"path {place} is a folder; expected the name of a file")
    if not place.resolve().parent.is_dir():
        raise FileNotFoundError(f"there is no folder {place.parent} to write {place.name} to")
    return place


def _write(place: Path, text: str) -> None:
    """Writes beside the place first: a reader finds the old file or the new one, never a half."""
    target = place.resolve()  # what a link names, not the link
    beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        # Halves of a letter, which a name may hold, are no text that can be written.
        beside.write_text(text, encoding="utf-8", errors="replace", newline="\n")
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)
    finally:
        beside.unlink(missing_ok=True)
