"""What of a result should not be believed as it stands: the checks of a report, in a line."""

from __future__ import annotations

from collections.abc import Sequence

from polyattr.cli.lines import plain
from polyattr.errors import BaselineWarning, ConvergenceWarning
from polyattr.reports.distrust.checks import Known
from polyattr.reports.distrust.doubts import Doubt, look
from polyattr.reports.distrust.magnitudes import measure
from polyattr.reports.reading import read_parts
from polyattr.results.attribution import Attribution

_CHECKED = (ConvergenceWarning, BaselineWarning)
"""Checked here for each result, whether it was computed or read."""


def distrust(result: Attribution, warned: Sequence[Warning] = ()) -> list[str]:
    """Returns a text for each reason for doubt.

    Args:
        result: With NumPy arrays.
        warned: Warnings that came with it.
    """
    told = [
        plain(warning, 420).rstrip(".") for warning in warned if not isinstance(warning, _CHECKED)
    ]
    if not result.scores.size:
        return told
    doubts = look(Known(result, measure(read_parts(result, None)))).doubts
    said = any("probabilit" in text for text in told)
    return [_line(d) for d in doubts if not (said and d.check.key == "probable")] + told


def _line(doubt: Doubt) -> str:
    title = doubt.check.title[0].lower() + doubt.check.title[1:]
    worst = f", the worst: {doubt.details[0]}" if doubt.details and doubt.details[0] else ""
    return plain(f"{title} ({len(doubt.where)} of {doubt.of}{worst})", 240)
