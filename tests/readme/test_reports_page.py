"""The page on reports: its examples run, and it says what is looked for and what can be given."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from polyattr.reports import write_report
from polyattr.reports.distrust.doubts import CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
EXAMPLES = {
    code.split()[1]: code for code in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
}


def rows(heading: str) -> list[str]:
    """The first column of the table under a heading of the columns."""
    table = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [line.split("|")[1].strip() for line in table.splitlines()[2:]]


def test_each_framework_has_an_example() -> None:
    assert set(EXAMPLES) == {"torch", "jax", "tensorflow"}


def test_the_example_runs(backend_name: str, tmp_path: Path) -> None:
    if not find_spec("jinja2"):
        pytest.skip("Jinja2, of the extra 'report', is not installed")
    (tmp_path / "example.py").write_text(EXAMPLES[backend_name], encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore::polyattr.PolyattrWarning", "example.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (page,) = tmp_path.glob("*.html")
    assert done.stdout.strip() == page.name
    assert page.read_text(encoding="utf-8").count("<article") in {40, 12, 5}


def test_every_check_stands_on_the_page_and_no_other() -> None:
    assert rows("fault") == [check.title for check in CHECKS]


def test_every_argument_stands_on_the_page() -> None:
    named = [name.strip("`") for name in rows("argument")]
    assert named == list(inspect.signature(write_report).parameters)[2:]


def test_the_thresholds_are_those_of_the_checks() -> None:
    from polyattr.reports.distrust import checks

    for number in (checks.LARGE, checks._ALIKE, checks._MISSED, checks._OF_FEW, checks._OF_MANY):
        assert f"{number:.0%}" in PAGE
    assert f"at most {checks._FEW} features" in PAGE
