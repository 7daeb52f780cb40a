"""What a user's type checker says about polyattr as it is installed, far from the checkout."""

from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from labs import EVERY_METHOD
from mypy.version import __version__  # missing: an error, since nothing else runs these tests

import polyattr
from polyattr.explainer.options import CALL_ARGUMENTS

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder: no configuration, no checkout, nothing but the programs."""
    return Path(shutil.copytree(PROGRAMS, tmp_path_factory.mktemp("user") / "programs"))


def strict(folder: Path, *files: str) -> str:
    """Runs mypy as a user would; returns its report."""
    environment = {key: value for key, value in os.environ.items() if key != "MYPYPATH"}
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-error-summary"]
    done = subprocess.run(
        [*command, *files], cwd=folder, env=environment, capture_output=True, text=True, timeout=600
    )
    assert not done.stderr, done.stderr
    return done.stdout


def test_right_uses_are_accepted(folder: Path) -> None:
    programs = ("right_uses.py", "right_family.py", "own_backend.py", "own_method.py")
    assert strict(folder, *programs) == "", f"mypy {__version__}"


def test_right_uses_run(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "right_uses.py", str(folder)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def test_every_wrong_use_is_found_and_nothing_else(folder: Path) -> None:
    lines = (PROGRAMS / "wrong_uses.py").read_text(encoding="utf-8").splitlines()
    marks = (re.search(r"  # wrong: ([a-z-]+)$", line) for line in lines)
    wanted = {number: mark[1] for number, mark in enumerate(marks, 1) if mark}
    assert len(wanted) > 50
    found: dict[int, set[str]] = {}
    report = strict(folder, "wrong_uses.py")
    for number, code in re.findall(r"^wrong_uses\.py:(\d+): error: .*\[(.+)\]$", report, re.M):
        found.setdefault(int(number), set()).add(code)
    missed = {lines[number - 1] for number in set(wanted) - set(found)}
    assert not missed, "accepted, though wrong"
    surplus = {lines[number - 1] for number in set(found) - set(wanted)}
    assert not surplus, report
    # Releases of mypy differ in which of these have a code of their own; the others are "misc".
    assert all({wanted[number], "misc"} & found[number] for number in wanted), report


def test_right_uses_are_the_whole_interface() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PROGRAMS.glob("[ro]*.py"))
    missing = [name for name in polyattr.__all__ if not re.search(rf"\b{name}\b", text)]
    assert not missing
    callables = [*EVERY_METHOD, polyattr.Explainer.explain, polyattr.Attribution.plot]
    keywords = set()
    for function in (*callables, polyattr.load):
        keywords |= set(inspect.signature(function).parameters)
    keywords |= set(CALL_ARGUMENTS) - {"inputs"}
    keywords -= {"self", "model", "options", "path"}
    assert not [name for name in keywords if not re.search(rf"\b{name}=", text)]
    fields = [name for name in polyattr.Attribution.__dataclass_fields__ if name[0] != "_"]
    assert not [name for name in fields if f"result.{name}" not in text]
