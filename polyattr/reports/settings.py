"""How a result was made: the settings of its methods, and what it was made with."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

import polyattr
from polyattr.reports.words import counted
from polyattr.results.attribution import Attribution

_LONGEST = 160
_NAME = re.compile(r"^([\w.]+)\((.*)\)$", re.DOTALL)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Method:
    """A method and its settings.

    Attributes:
        name: What it is called.
        settings: Names and values, in the order of its repr; empty where that cannot be read.
        samples: How many maps have these settings.
        number: Of these settings in the result, from 1.
    """

    name: str
    settings: tuple[tuple[str, str], ...]
    samples: str
    number: int


def read_methods(result: Attribution) -> list[Method]:
    """Reads the settings of all methods of a result."""
    counts = np.bincount(np.ravel(result.settings), minlength=len(result.methods))
    found = []
    for place, text in enumerate(result.methods):
        name, settings = read_method(text)
        found.append(Method(name, settings, counted(int(counts[place]), "map"), place + 1))
    return found


def read_method(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Takes the repr of a method apart: its name, and its settings with their values.

    What is no such repr is a name without settings.
    """
    match = _NAME.match(text.strip())
    if match is None:
        return shortened(text), ()
    settings = []
    for argument in _arguments(match[2]):
        name, equals, value = argument.partition("=")
        if not equals or not name.strip().isidentifier():
            return shortened(text), ()
        settings.append((name.strip(), shortened(value)))
    return match[1], tuple(settings)


def _arguments(text: str) -> list[str]:
    """Cuts a text at the commas that stand in no brackets and no quotes."""
    parts, depth, quote, start, place = [], [], "", 0, 0
    while place < len(text):
        letter = text[place]
        if quote:
            place += letter == "\\"
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _PAIRS:
            depth.append(_PAIRS[letter])
        elif depth and letter == depth[-1]:
            depth.pop()
        elif letter == "," and not depth:
            parts.append(text[start:place])
            start = place + 1
        place += 1
    return [part for part in [*parts, text[start:]] if part.strip()]


def shortened(text: str) -> str:
    """Puts a value on one line, and cuts the numbers of long ones, as of arrays."""
    line = " ".join(text.split())
    if len(line) <= _LONGEST:
        return line
    return f"{line[: _LONGEST - 40]}\u2026 ({counted(len(line), 'letter')})"


def versions(result: Attribution, *, native: bool) -> list[tuple[str, str]]:
    """Says what made a result, and what wrote its report, where that is known.

    Args:
        result: The result.
        native: Whether its tensors are those of the framework that is loaded here.
    """
    known = {info.name: info for info in polyattr.backends().values()}
    backend, framework = result.backend, "not known: a file does not say"
    info = known.get(backend)
    if info is not None:
        backend += f", by {info.provider}"
        if native and info.version:
            framework = f"{info.name} {info.version}"
    return [
        ("Backend", backend),
        ("Framework", framework),
        ("Report written by", f"polyattr {polyattr.__version__}"),
    ]
