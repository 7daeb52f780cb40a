"""Numbers and samples in the words of a report."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polyattr.plots.reading.words import target_of
from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]


def number(value: float) -> str:
    """Returns a number with four digits; NaN and infinity by name."""
    if math.isnan(value):
        return "NaN"
    return f"{value:.4g}"


def signed_number(value: float) -> str:
    """Returns the same with its sign, whichever that is."""
    return "NaN" if math.isnan(value) else f"{value:+.4g}" if value else "0"


def part(value: float) -> str:
    """Returns a relative number in per cent; what is not known says so."""
    if math.isnan(value):
        return "not known"
    if math.isinf(value):
        return "infinite"
    if 0 < abs(value) < 1e-3:
        return "<0.1%"
    return f"{100 * value:.3g}%" if abs(value) < 10 else f"{100 * value:,.0f}%"


def counted(count: int, what: str) -> str:
    """Returns a number of things: "1 sample", "1,000 samples"."""
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def sample_of(result: Attribution, i: int) -> str:
    """Returns what one of the N samples is called: its number, with its name if it has one."""
    n = result.scores.shape[-1]
    rows = result.names.rows if result.names else None
    return str(i % n) if rows is None else f"{i % n} ({rows[i % n]})"


def aim_of(result: Attribution, i: int) -> str:
    """Returns what was explained for one of the T * N maps; "" where the score has no name."""
    said = target_of(result, i)
    if said or result.scores.ndim == 1:
        return said
    return f"target {i // result.scores.shape[-1]}"


def map_of(result: Attribution, i: int) -> str:
    """Returns what one of the T * N maps is called: the sample, and of several targets which."""
    aim = f" at {aim_of(result, i)}" if result.scores.ndim > 1 else ""
    return f"{sample_of(result, i)}{aim}"
