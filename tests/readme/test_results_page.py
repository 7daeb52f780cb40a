"""The page on results: its examples run, and say what they should."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import polyattr

PAGE = (Path(__file__).parents[2] / "docs" / "results.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
LOOPS = {block.split()[1]: block for block in BLOCKS if "worst(8)" in block}


def imported(code: str) -> set[str]:
    return {a.name for n in ast.walk(ast.parse(code)) if isinstance(n, ast.Import) for a in n.names}


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "example.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


def test_there_is_a_loop_for_each_framework() -> None:
    assert set(LOOPS) == {"torch", "jax", "tensorflow"}


@pytest.mark.parametrize("name", LOOPS)
def test_the_loop_has_ten_lines_at_most(name: str) -> None:
    setup, *loop = LOOPS[name].split("\n\n")[1:]
    assert "model" in setup
    lines = [line for part in loop for line in part.splitlines() if line.strip()]
    assert 6 <= len(lines) <= 10


def test_the_loop_runs(backend_name: str, tmp_path: Path) -> None:
    if not find_spec("matplotlib"):
        pytest.skip("pictures need matplotlib")
    # Of what it asks, the loop computes once more how far the worst were off.
    code = LOOPS[backend_name] + (
        "\nworst.save('before.npz')\n"
        "print(sum(result.error > worst.error.min()), len(result), len(loaded))\n"
    )
    done = run(code, tmp_path)
    assert "ConvergenceWarning" in done.stderr  # of the first call, which counts them
    assert done.stderr.count("Warning:") == 1, done.stderr
    *_, counts = done.stdout.splitlines()
    assert counts == "7 1000 8"
    before, after = (
        polyattr.load(tmp_path / "before"),
        polyattr.load(tmp_path / "worst.safetensors"),
    )
    assert (before.error > 0.05).all()
    assert (np.diff(before.error) <= 0).all()
    assert (after.error <= 0.01).all()
    assert after.converged.all()
    assert (after.evaluations > 8).all()
    assert np.array_equal(after.scores, before.scores)
    assert np.array_equal(after.inputs, before.inputs)
    assert after.names.features[:2] == ("age", "size")
    off = np.abs(before.values - after.values).sum(axis=1) / np.abs(after.values).sum(axis=1)
    assert off.max() > 0.01
    assert (tmp_path / "worst.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("code", [block for block in BLOCKS if block not in LOOPS.values()])
def test_other_examples_run(code: str, backend_name: str, tmp_path: Path) -> None:
    first = code.split()[1]
    if first != backend_name:
        return  # each example runs where its framework is under test
    beside = imported(code) - {first, "polyattr"}
    asked = set(os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(","))
    missing = [name for name in beside if find_spec(name) is None]
    assert not asked & set(missing)
    if missing:
        pytest.skip(f"{missing[0]} is not installed")
    assert "Ann" in run(code, tmp_path).stdout


def test_every_name_and_extra_is_there() -> None:
    for name in re.findall(r"`(?:result\.|method\.)?(\w+)\(\)`", PAGE):
        assert hasattr(polyattr.Attribution, name), name
    for name in re.findall(r"(\w+)=(?=,|\))", re.search(r"`polyattr\.Names\((.*?)\)`", PAGE)[0]):
        assert name in polyattr.Names.__dataclass_fields__
    known = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    for extra in re.findall(r'"polyattr\[(\w+)\]"', PAGE):
        assert f"\n{extra} = [" in known


def test_lines_fit() -> None:
    assert max(len(line) for block in BLOCKS for line in block.splitlines()) <= 100
