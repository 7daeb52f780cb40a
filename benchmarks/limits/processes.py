"""Processes of their own that measure: started with a request in JSON, read line by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHILD = Path(__file__).parents[1] / "limits_process.py"
ROOT = CHILD.parents[1]
MARK = "measured: "
"""What lines begin with that are answers: frameworks print, too."""

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}


def answers(request: dict[str, Any]) -> Iterator[Any]:
    """Starts a process and yields its answers as they come.

    Raises:
        SystemExit: It failed; what it wrote is shown.
    """
    paths = [str(ROOT), str(ROOT / "backends"), os.environ.get("PYTHONPATH", "")]
    kept = {**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, str(CHILD), json.dumps(request)]
    with subprocess.Popen(
        command, env=kept, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        other = []
        for line in process.stdout or ():
            if line.startswith(MARK):
                yield json.loads(line.removeprefix(MARK))
            else:
                other.append(line)
    if process.returncode:
        raise SystemExit(f"measuring {request} failed:\n{''.join(other[-40:])}")


def answer(request: dict[str, Any]) -> Any:
    """Starts a process and returns its only answer."""
    (only,) = answers(request)
    return only


def say(found: Any) -> None:
    """Gives an answer, from inside such a process."""
    print(MARK + json.dumps(found), flush=True)
