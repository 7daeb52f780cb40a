"""What polyattr takes, and what it does about trouble: rows have tests, examples run."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from polyattr.scores.tasks import TASKS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "models.md").read_text(encoding="utf-8")
TROUBLE = (DOCS / "when-it-does-not-work.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE + TROUBLE, flags=re.DOTALL)


def rows(page: str) -> list[tuple[str, str]]:
    """Returns what each row of a page's tables with tests is about, and its last cell."""
    found = []
    for table in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
        header, _, *body = (line.strip("| \n").split(" | ") for line in table.splitlines())
        if header[-1] == "test":
            found += [(cells[0], cells[-1]) for cells in body if not cells[0].startswith("**")]
    return found


@pytest.mark.parametrize(
    ("about", "cell"), rows(PAGE) + rows(TROUBLE), ids=lambda value: value[:40]
)
def test_every_row_has_a_test(about: str, cell: str) -> None:
    link = re.fullmatch(r"\[(test_\w+)\]\(\.\./(tests/\S+\.py)\)", cell)
    assert link, f"{about}: {cell}"
    name, path = link.groups()
    tree = ast.parse((DOCS.parent / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_the_page_is_about_enough() -> None:
    assert len(rows(PAGE)) >= 30


def test_every_task_is_on_the_page() -> None:
    assert not [name for name in TASKS if f'`"{name}"`' not in PAGE]


@pytest.mark.parametrize("code", EXAMPLES)
def test_examples_run(code: str, backend_name: str, tmp_path: Path) -> None:
    first = re.match(r"(?:from|import) (\w+)", code)
    assert first, code
    if first[1] != backend_name:
        return  # each example runs where its framework is under test
    script = tmp_path / "example.py"
    script.write_text(code, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
