"""Plants each fault in a copy of polyattr and its backends, and runs the suite until a test fails.

``python tests/mutants/run.py torch`` prints every fault with the test that killed it, and fails if
one survives. Not part of the ordinary run: it takes as long as many of them. ``--workers 2`` tries
two faults at a time; ``--only noise`` those with the word in their name. ``--after torch.txt``, the
output of an earlier run on any framework, tries on each fault first what killed it then.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import backend_faults
import core_faults

ROOT = Path(__file__).parents[2]
Fault = tuple[str, str, str, str]
# Tried when nothing quicker fails.
SLOWER = ("axioms", "faults", "peers/rows", "frameworks/keras_models")
# A test's name may hold spaces and dashes, between the brackets of its case.
_FAILED = re.compile(r"^(?:FAILED|ERROR) ([^\s\[]+(?:\[.*?\])?)(?: - .*)?$", re.MULTILINE)


def suite(backend: str, fault: Fault) -> list[str]:
    """Lists the folders with tests of a backend, the likely and quick killers of a fault first."""
    own = f"frameworks/{backend}"
    shared = ["baselines", "domains", "interactions", "patching", "regions"]
    shared += ["results", "recipes", "methods", "engine", "errors", "stale", "tasks"]
    folders = ["core", "conformance", *shared, own]
    if fault in backend_faults.FAULTS[backend]:
        folders = ["conformance", own, *shared, "core"]
    return [str(ROOT / "tests" / name) for name in [*folders, *SLOWER]]


def plant(folder: Path, fault: Fault) -> None:
    """Replaces one place in the copy.

    Raises:
        ValueError: The line is not there, or not once: the list is out of date.
    """
    _, file, right, wrong = fault
    path = folder / file
    text = path.read_text(encoding="utf-8")
    if text.count(right) != 1:
        raise ValueError(f"{file} has {text.count(right)} places that read {right!r}, expected one")
    path.write_text(text.replace(right, wrong), encoding="utf-8")


def earlier_killers(output: Path, backend: str) -> dict[str, list[str]]:
    """Reads off an earlier output which test to try first on a fault, as arguments of pytest."""
    found = {}
    for line in output.read_text(encoding="utf-8").splitlines():
        parts = re.match(r"killed +(.+) \(\S+\): (\S+?\.py)::(?:\w+::)?(\w+)", line)
        if parts is None:
            continue
        what, file, test = parts.groups()
        # The same test of another framework, where it has a file of its own there.
        for name in backend_faults.FAULTS:
            file = re.sub(rf"test_{name}\.py$", f"test_{backend}.py", file)
        if backend in file or not any(name in file for name in backend_faults.FAULTS):
            found[what] = [str(ROOT / file), "-k", test]
    return found


def killer(backend: str, fault: Fault | None, *attempts: list[str]) -> str | None:
    """Runs tests against a copy with the fault; returns the first one that fails.

    Args:
        backend: The framework.
        fault: What to plant, if anything.
        *attempts: Arguments of pytest, tried in turn until a test fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in (ROOT / "polyattr", *(ROOT / "backends").iterdir()):
            shutil.copytree(package, folder / package.name)
        if fault is not None:
            plant(folder, fault)
        found = (_first_failure(folder, backend, arguments) for arguments in attempts)
        return next((test for test in found if test is not None), None)


def _first_failure(folder: Path, backend: str, paths: list[str]) -> str | None:
    # -P keeps the checkout itself off the path, so that the copy is what is imported.
    command = [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "PYTHONSAFEPATH": "1",
        "POLYATTR_TEST_BACKENDS": backend,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [*command, *paths], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    found = _FAILED.search(run.stdout)
    if run.returncode in {0, 5}:  # 5: nothing was collected, where an earlier killer has gone
        return None
    # 1 says that a test failed; a fault that keeps the suite from starting has not been tested.
    if run.returncode != 1 or found is None:
        raise RuntimeError(f"pytest ended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return found.group(1)


def main(backend: str, workers: int = 1, only: str = "", after: Path | None = None) -> int:
    """Returns the number of faults that survive; takes the arguments of the command line.

    Raises:
        RuntimeError: A test that killed one fails without any fault, and so proves nothing.
    """
    likely = earlier_killers(after, backend) if after else {}
    faults: list[Fault] = [*backend_faults.FAULTS[backend], *core_faults.FAULTS]
    faults = [fault for fault in faults if only in fault[0]]

    def tried(fault: Fault) -> str | None:
        first = [likely[fault[0]]] if fault[0] in likely else []
        return killer(backend, fault, *first, suite(backend, fault))

    killers = []
    with ThreadPoolExecutor(workers) as pool:
        for fault, test in zip(faults, pool.map(tried, faults), strict=True):
            killers += [test] if test else []
            word = f"killed   {fault[0]}" if test else f"SURVIVED {fault[0]}"
            print(f"{word} ({fault[1]}): {test or 'by nothing'}", flush=True)
    without_cases = sorted({test.partition("[")[0] for test in killers})
    broken = killer(backend, None, without_cases) if killers else None
    if broken is not None:
        raise RuntimeError(f"fails without any fault: {broken}")
    print(f"{len(killers)} of {len(faults)} faults killed on {backend}")
    return len(faults) - len(killers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("backend", choices=sorted(backend_faults.FAULTS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--after", type=Path)
    sys.exit(main(**vars(parser.parse_args())))
