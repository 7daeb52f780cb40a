"""Plants each fault in a copy of polyattr and runs the suite until a test fails.

``python tests/mutants/run.py torch`` prints every fault with the test that killed it, and fails if
one survives. Not part of the ordinary run: it takes as long as many of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from faults import FAULTS

ROOT = Path(__file__).parents[2]
# The quickest killers first.
SUITE = ("methods", "axioms", "engine", "core", "errors")


def plant(folder: Path, file: str, right: str, wrong: str) -> None:
    """Replaces one place in the copy.

    Raises:
        ValueError: The line is not there, or not once: the list is out of date.
    """
    path = folder / "polyattr" / file
    text = path.read_text(encoding="utf-8")
    if text.count(right) != 1:
        raise ValueError(f"{file} has {text.count(right)} places that read {right!r}, expected one")
    path.write_text(text.replace(right, wrong), encoding="utf-8")


def killer(folder: Path, backend: str) -> str | None:
    """Runs the suite against the copy; returns the first test that fails."""
    paths = [str(ROOT / "tests" / name) for name in SUITE]
    # -P keeps the checkout itself off the path, so that the copy is what is imported.
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "POLYATTR_TEST_BACKENDS": backend,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [*command, *paths], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", run.stdout, flags=re.MULTILINE)
    if run.returncode == 0:
        return None
    if found is None:
        raise RuntimeError(f"pytest ended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return found.group(1)


def main(backend: str) -> int:
    """Returns the number of faults that survive."""
    survivors = 0
    for what, file, right, wrong in FAULTS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shutil.copytree(ROOT / "polyattr", folder / "polyattr")
            for package in (ROOT / "backends").iterdir():
                shutil.copytree(package, folder / package.name)
            plant(folder, file, right, wrong)
            test = killer(folder, backend)
        survivors += test is None
        print(
            f"{'SURVIVED' if test is None else 'killed  '} {what}: {test or 'by nothing'}",
            flush=True,
        )
    print(f"{len(FAULTS) - survivors} of {len(FAULTS)} faults killed on {backend}")
    return survivors


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
