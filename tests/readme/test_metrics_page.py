"""The pages on metrics and integrations: their examples run, their names and tables are true."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from polyattr import integrations, metrics
from polyattr.integrations import quantus

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    name: (DOCS / f"{name}.md").read_text(encoding="utf-8") for name in ("metrics", "integrations")
}


@pytest.mark.parametrize("name", PAGES)
def test_the_examples_run_one_after_the_other(name, backend_name, tmp_path):
    if backend_name != "torch":
        pytest.skip("the examples of this page are of PyTorch")
    code = "\n".join(re.findall(r"```python\n(.*?)```", PAGES[name], flags=re.DOTALL))
    assert code
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = {
        "metrics": r"<deletion of IntegratedGradients: .* on 20 samples, lower is better>\n\(20,\)",
        "integrations": r"\[0, 2\] 2 \d",
    }
    assert re.search(said[name], done.stdout), done.stdout


@pytest.mark.parametrize("name", PAGES)
def test_what_is_not_run_is_python(name):
    for block in re.findall(r"```python notest\n(.*?)```", PAGES[name], flags=re.DOTALL):
        compile(block, name, "exec")


def test_every_metric_is_on_the_page():
    listed = re.findall(r"^\| `(\w+)` \|", PAGES["metrics"], flags=re.MULTILINE)
    functions = [name for name in metrics.__all__ if not isinstance(getattr(metrics, name), type)]
    assert sorted(listed) == sorted(functions)


def test_every_integration_is_on_the_page():
    for name in (*integrations.__all__, "ask", "explain_func"):
        assert f"{name}" in PAGES["integrations"]
        assert hasattr(integrations, name) or hasattr(quantus, name)


def test_the_table_of_differences_is_that_of_the_means():
    means, apart, _ = (
        [row.split("|")[1:-1] for row in table.strip().splitlines()[2:]]
        for table in re.findall(r"(?:^\|.*\n)+", PAGES["metrics"].split("## On digits")[1], re.M)
    )

    def number(cell):
        return float(cell.split("±")[0].replace("\N{MINUS SIGN}", "-"))

    for place, row in enumerate(apart):
        for column in range(1, 5):
            expected = number(means[place + 1][column]) - number(means[place][column])
            assert number(row[column]) == pytest.approx(expected, abs=0.0021)
