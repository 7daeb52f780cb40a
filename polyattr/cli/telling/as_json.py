"""A result for machines; docs/command-line.md has the schema."""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polyattr._version import __version__
from polyattr.backend.registry import backends
from polyattr.cli.telling.facts import facts, top
from polyattr.results.attribution import Attribution

SCHEMA = 1
"""Raised when an entry changes its meaning or goes; entries may be added."""


def document(
    command: str, result: Attribution, doubts: Sequence[str], count: int, **more: Any
) -> dict[str, Any]:
    """Returns what `--json` prints.

    Args:
        command: The command.
        result: With NumPy arrays.
        doubts: What to distrust.
        count: Features of each sample.
        **more: Further entries of the head.
    """
    return {
        "schema": SCHEMA,
        "command": command,
        **more,
        "versions": _versions(result.backend),
        "backend": result.backend,
        "methods": list(result.methods),
        "seed": result.seed,
        "distrust": list(doubts),
        "samples": samples(result, count),
    }


def samples(result: Attribution, count: int) -> list[dict[str, Any]]:
    """Returns what is known of each sample; NaN and infinity, which JSON lacks, as null."""
    known, most = facts(result), top(result, count)
    rows = []
    for i in range(len(result.scores)):
        entry = {name: _plain(array[i]) for name, array in known.items()}
        entry["method"] = int(result.settings[i])
        entry["top"] = [{"feature": name, "value": _plain(value)} for name, value in most[i]]
        rows.append(entry)
    return rows


def _versions(backend: str) -> dict[str, str | None]:
    """Of what answered; of the framework only where it is installed here."""
    known = backends()
    own = {"polyattr": __version__, "python": platform.python_version(), "numpy": np.__version__}
    return own | ({backend: known[backend].version} if backend in known else {})


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return dict(value) if isinstance(value, Mapping) else value
