"""The README's examples run as printed, and its commands are the ones that are checked."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_IMPORT = {"torch": "import torch", "tensorflow": "import keras", "jax": "import jax"}


def example(backend: str) -> str:
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    found = [block for block in blocks if block.startswith(FIRST_IMPORT[backend] + "\n")]
    assert len(found) == 1
    return found[0]


def test_example_runs(backend_name: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example(backend_name), encoding="utf-8")
    run = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()


def test_example_is_about_ten_lines(backend_name: str) -> None:
    lines = [line for line in example(backend_name).splitlines() if line.strip()]
    assert len(lines) <= 11


@pytest.mark.parametrize(
    "command", ['pip install ".[jax,demo]" && polyattr demo', "pip install nox && nox"]
)
def test_commands_are_printed(command: str) -> None:
    assert f"```sh\n{command}\n```" in README


def test_every_method_is_in_the_table() -> None:
    import polyattr

    methods = [
        name
        for name in polyattr.__all__
        if isinstance(getattr(polyattr, name), type)
        and issubclass(getattr(polyattr, name), polyattr.Explainer)
        and name != "Explainer"
    ]
    assert set(methods) == {*polyattr.methods.__all__, *polyattr.interactions.__all__}
    assert all(f"| `{name}` |" in README for name in methods)


def test_the_table_names_every_argument_and_every_source() -> None:
    import polyattr

    shared = set(inspect.signature(polyattr.Explainer).parameters)
    for name in (*polyattr.methods.__all__, *polyattr.interactions.__all__):
        method = getattr(polyattr, name)
        (row,) = re.findall(rf"^\| `{name}` \|.*$", README, flags=re.MULTILINE)
        arguments, source = row.split(" | ")[-2:]
        own = set(inspect.signature(method).parameters) - shared
        assert set(re.findall(r"`(\w+)`", arguments)) == own, name
        assert f"https://arxiv.org/abs/{method.paper.arxiv})" in source
    listed = re.search(r"All take (.*?);", README, flags=re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"`(\w+)`", listed[1])) == shared - {"model"}
