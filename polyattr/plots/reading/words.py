"""What a result says of its samples, in the words of a caption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, brief
from polyattr.results.attribution import Attribution
from polyattr.results.names import Names


def facts_of(result: Attribution, i: int) -> tuple[str, ...]:
    """Returns two lines: what was explained and its score; how exact the map is."""
    target, row = target_of(result, i), row_of(result, i)
    score = f"f(x) = {result.scores.ravel()[i]:.3g}"
    first = ", ".join(part for part in (row, target, score) if part)
    return first, exactness_of(result, i)


def exactness_of(result: Attribution, i: int) -> str:
    """Returns the gap and the error of a sample, and whether that is more than was asked for."""
    gap, error = result.completeness_gap, float(result.error.ravel()[i])
    parts = [] if gap is None else [f"gap {gap.ravel()[i]:+.3g}"]
    parts.append(percent(error) if error != 0 else "exact gradient" if gap is None else "error 0")
    if not result.converged.ravel()[i] and np.isfinite(error):
        parts.append("not converged")
    return ", ".join(parts)


def percent(error: float) -> str:
    """Returns a relative error in words."""
    if np.isnan(error):
        return "error unknown"
    if 0 < error < 5e-4:
        return "error <0.1%"
    return f"error {error:.1%}" if error < 10 else f"error {error:.2g}"


def target_of(result: Attribution, i: int) -> str:
    """Returns the name of the class explained for a sample, or nothing where it is none."""
    targets = result.targets
    if not isinstance(targets, np.ndarray) or targets.dtype.kind not in "iu":
        return ""
    flat = targets.reshape(result.scores.size, -1)[i]
    if len(flat) == 1:
        return (result.names or Names()).class_name(int(flat[0]))
    return f"output {tuple(int(axis) for axis in flat)}"


def row_of(result: Attribution, i: int) -> str:
    """Returns the name of a sample, where it has one."""
    rows = result.names.rows if result.names else None
    return "" if rows is None else rows[i % result.scores.shape[-1]]


def texts_for(name: str, given: Any, count: int, of_what: str) -> tuple[str, ...] | None:
    """Checks for None or as many texts as there are things.

    Args:
        name: The argument.
        given: What was given.
        count: How many there are.
        of_what: What they are.

    Raises:
        InputTypeError: No sequence of texts.
        InputError: More or fewer.
    """
    if given is None:
        return None
    listed = isinstance(given, Sequence) and not isinstance(given, str | bytes)
    if not listed and len(getattr(given, "shape", ())) != 1:
        raise InputTypeError(f"{name} is {brief(given)}; expected one text for each {of_what}")
    texts = tuple(str(one) for one in given)
    if len(texts) != count:
        raise InputError(f"{len(texts)} {name} for {count} {of_what}s; expected one for each")
    return texts


def shortened(text: str, letters: int) -> str:
    """Cuts the middle out of a text that is too long; names often differ at their end."""
    if len(text) <= letters:
        return text
    tail = max(1, (letters - 1) // 3)
    return f"{text[: letters - 1 - tail]}\u2026{text[-tail:]}"


def literal(text: str) -> str:
    """Has dollars stand for themselves, and not for the ends of a formula."""
    return text.replace("$", r"\$")
