"""The page of pictures: its examples run, its pictures are there, small, and made by the script."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
PICTURES = re.findall(r"!\[[^]]+\]\((\S+)\)", PAGE)
FIRST = {"import torch": "torch", "import jax": "jax", "import tensorflow as tf": "tensorflow"}


def framework(code: str) -> str:
    (name,) = (name for line, name in FIRST.items() if line in code.splitlines())
    return name


def test_each_framework_has_an_example() -> None:
    assert set(map(framework, EXAMPLES)) == set(FIRST.values())


@pytest.mark.parametrize("code", EXAMPLES, ids=framework)
def test_examples_run(code: str, backend_name: str, tmp_path: Path) -> None:
    if framework(code) != backend_name:
        return  # each example runs where its framework is under test
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    # pyplot tells of a screen that is not there.
    run = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:FigureCanvasAgg", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_pictures_are_small_and_all_are_shown() -> None:
    there = {f"gallery/{path.name}" for path in (DOCS / "gallery").iterdir()}
    assert set(PICTURES) == there
    assert len(PICTURES) == len(there)
    for name in PICTURES:
        content = (DOCS / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert 5_000 < len(content) <= 150_000, name


def test_every_picture_is_made_by_the_script_and_every_function_is_on_the_page() -> None:
    from polyattr import plots

    source = (ROOT / "benchmarks" / "gallery" / "pictures.py").read_text(encoding="utf-8")
    functions = {n.name for n in ast.parse(source).body if isinstance(n, ast.FunctionDef)}
    assert {Path(name).stem for name in PICTURES} <= functions
    drawn = set(plots.__all__) - {"Html", "Sample", "read_sample", "plot"}
    assert all(f"`plots.{name}`" in PAGE for name in drawn)


def test_lines_fit() -> None:
    assert max(len(line) for code in EXAMPLES for line in code.splitlines()) <= 100
