"""The comparison of two checkouts runs, in both of its modes, and measures what it was told to."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "compare_checkouts.py"


def compare(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("mode", [["--seconds", "0"], ["--memory"]], ids=["time", "memory"])
def test_a_checkout_against_itself(backend_name, mode):
    cell = "mlp N=1 IntegratedGradients"
    run = compare(
        ROOT, ROOT, "--framework", backend_name, "--rounds", 1, "--cells", cell.lower(), *mode
    )
    assert run.returncode == 0, run.stderr
    first, header, line = run.stdout.splitlines()
    assert first.startswith(f"{backend_name}, 1 rounds: {ROOT}")
    assert ("MiB" if mode == ["--memory"] else "ms") in header
    old, new = re.fullmatch(rf"{cell} +([\d.]+) +([\d.]+) .*", line).groups()
    assert min(float(old), float(new)) > 0 or mode == ["--memory"]


def test_another_checkout_than_the_one_asked_for_is_not_measured(tmp_path):
    package = tmp_path / "somewhere" / "polyattr"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    asked_for = tmp_path / "asked for"
    asked_for.mkdir()
    (asked_for / "polyattr").symlink_to(package)
    run = compare(asked_for, ROOT, "--framework", "torch", "--cells", "mlp N=1 G")
    assert run.returncode != 0
    assert f"{package / '__init__.py'} is imported; expected polyattr of {asked_for}" in run.stderr


def test_a_cell_that_is_not_there():
    run = compare(ROOT, ROOT, "--framework", "torch", "--cells", "resnet")
    assert run.returncode != 0
    assert "no cell is named like 'resnet'; cells: mlp N=1 GradientInput" in run.stderr
