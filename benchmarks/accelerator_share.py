"""A plugin of pytest for `accelerator_suite.py`: runs every k-th test, and notes each as it ends.

``POLYATTR_SHARE=1/4`` runs the tests 1, 5, 9, ... (from 0), ``POLYATTR_NOTES`` names the file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

FIRST, EVERY = map(int, os.environ["POLYATTR_SHARE"].split("/"))
NOTES = Path(os.environ["POLYATTR_NOTES"])


def pytest_collection_modifyitems(config: Any, items: list[pytest.Item]) -> None:
    """Takes the share, and notes how many tests it has."""
    kept = items[FIRST::EVERY]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
    _note({"tests": len(kept)})


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Notes a test when it was called, or whatever did not let it be."""
    if report.when != "call" and report.passed:
        return
    crash = getattr(report.longrepr, "reprcrash", None)
    said = getattr(crash, "message", str(report.longrepr or ""))
    name, outcome = report.nodeid.rpartition("::")[2], report.outcome
    _note({"name": name, "outcome": outcome, "seconds": report.duration, "said": said})


def _note(found: dict[str, Any]) -> None:
    with NOTES.open("a", encoding="utf-8") as file:
        file.write(json.dumps(found) + "\n")
