"""The JSON file: facts about the machine, and what was found, updated entry by entry."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import polyattr

LIBRARIES = (
    "polyattr", "numpy", "torch", "jax", "tensorflow", "keras", "captum", "xplique",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Says where, with what and when this is measured."""
    return {
        "machine": platform.machine(),
        "system": platform.platform(),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
        "python": platform.python_version(),
        "versions": {name: found for name in LIBRARIES if (found := _version(name))},
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }


def _cpu() -> str | None:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return None
    found = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    return found[1] if found else None


def _version(name: str) -> str | None:
    if name == "polyattr":  # a checkout, which is not what is installed
        return polyattr.__version__
    try:
        return version(name)
    except PackageNotFoundError:
        return None


class Record:
    """What was measured, in a file that is written anew with every entry.

    Args:
        path: Where; None keeps everything in memory. What it holds already stays, but for entries
            that are measured again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.found: dict[str, Any] = {"run": {}}
        if path is not None and path.exists():
            self.found = json.loads(path.read_text(encoding="utf-8"))
        self.found["run"] = machine()

    def put(self, part: str, key: str, facts: Any) -> None:
        """Writes an entry down, with the day and how busy the machine was."""
        if isinstance(facts, dict):
            busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
            facts = {**facts, "date": self.found["run"]["date"], "load": busy}
        self.found.setdefault(part, {})[key] = facts
        if self._path is None:
            return
        # Whoever ends the script meanwhile keeps a whole file.
        beside = self._path.with_suffix(".part")
        beside.write_text(json.dumps(self.found, indent=1, allow_nan=False), encoding="utf-8")
        beside.replace(self._path)
