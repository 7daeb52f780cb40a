"""Every page of docs/, and the README, runs: no page and no block has to be listed for it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from labs import LABS, under_test

from docsite.markdown import blocks
from docsite.navigation import DOCS, ROOT
from docsite.programs import NEEDS, Program, differs, programs

# Pages whose blocks are held to more than running, and that is why to be run otherwise.
OWN_TESTS = {
    "gallery.md": "tests/readme/test_gallery_page.py",
    "models.md": "tests/readme/test_models_page.py",
    "results.md": "tests/readme/test_results_page.py",
    "when-it-does-not-work.md": "tests/readme/test_models_page.py",
    "write-a-backend.md": "tests/conformance/test_autograd_example.py",
    "write-a-method.md": "tests/readme/test_method_page.py",
}
LANGUAGES = {
    *("python", "text", "sh", "math", "bibtex", "toml", "html", "json", "yaml", "console"),
    *("csv", "diff"),
    "notest",  # blocks about other libraries, which tests/integrations runs
}
PAGES = {path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))}
PAGES["README.md"] = ROOT / "README.md"
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
PROGRAMS = [
    pytest.param(name, program, id=f"{name}-{number}")
    for name, text in TEXTS.items()
    if name not in OWN_TESTS
    for number, program in enumerate(programs(text))
]
OPTIONAL = os.environ.get("POLYATTR_TEST_PAGES") == "1"


def run(program: Program, folder: Path) -> list[str]:
    given, told = folder / "blocks.json", folder / "printed.json"
    given.write_text(json.dumps(program.blocks), encoding="utf-8")
    script = ROOT / "tools" / "docsite" / "programs.py"
    done = subprocess.run(
        [sys.executable, str(script), str(given), str(told)],
        cwd=folder,
        env={**os.environ, "MPLBACKEND": "agg", "PYTHONPATH": path_of_tools()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(told.read_text(encoding="utf-8"))


def path_of_tools() -> str:
    before = os.environ.get("PYTHONPATH")
    return os.pathsep.join([str(ROOT / "tools"), *([before] if before else [])])


@pytest.mark.parametrize(("name", "program"), [p for p in PROGRAMS if p.values[1].frameworks])
def test_it_runs(name: str, program: Program, backend_name: str, tmp_path: Path) -> None:
    if program.frameworks[0] != backend_name:
        return  # each program runs where its framework is under test
    check(name, program, tmp_path)


@pytest.mark.parametrize(("name", "program"), [p for p in PROGRAMS if not p.values[1].frameworks])
def test_it_runs_without_a_framework(name: str, program: Program, tmp_path: Path) -> None:
    check(name, program, tmp_path)


def check(name: str, program: Program, folder: Path) -> None:
    if NEEDS.search(TEXTS[name]) and not OPTIONAL:
        pytest.skip("nox -s pages runs it: it says that it needs more than polyattr's extras")
    if not set(program.frameworks) <= set(under_test(*LABS)):
        pytest.skip("nox -s pages runs it: it needs two frameworks")
    printed = run(program, folder)
    for found, said in zip(printed, program.printed, strict=True):
        assert said is None or not differs(found, said), differs(found, said)


@pytest.mark.parametrize("name", OWN_TESTS)
def test_a_page_with_a_test_of_its_own_has_it(name: str) -> None:
    source = (ROOT / OWN_TESTS[name]).read_text(encoding="utf-8")
    assert name in TEXTS
    assert name in source
    assert "```python" in source


@pytest.mark.parametrize("name", TEXTS)
def test_blocks_are_of_languages_that_are_looked_at(name: str) -> None:
    found = {block.language for block in blocks(TEXTS[name])}
    assert found - {""} <= LANGUAGES
    # Python is not to hide from its test as something else.
    assert "notest" not in found or name == "integrations.md"
    rest = [b.code for b in blocks(TEXTS[name]) if b.language not in {"python", "diff", "notest"}]
    assert not [code for code in rest if re.search(r"^(import|from) polyattr", code, re.M)]


@pytest.mark.parametrize("name", TEXTS)
def test_lines_of_programs_fit(name: str) -> None:
    found = [block.code for block in blocks(TEXTS[name]) if block.language == "python"]
    assert max([len(line) for code in found for line in code.splitlines()], default=0) <= 100


def test_programs_are_told_apart() -> None:
    page = (
        "```python\nimport torch\n```\n\n```text\n1\n```\n\n```python\nx = 1\n```\n"
        "```python\nimport keras\n```\n```sh\nls\n```\n```text\n2\n```\n"
    )
    first, second = programs(page)
    assert first.blocks == ["import torch\n", "x = 1\n"]
    assert first.printed == ["1\n", None]
    assert second.printed == [None]
    assert [first.frameworks, second.frameworks] == [["torch"], ["tensorflow"]]
    assert Program(["import keras, torch\n"]).frameworks == ["torch"]
    assert Program(["import numpy\n"]).frameworks == []


def test_what_is_printed_is_held_to_the_page() -> None:
    assert not differs("a 0.1234\nb\n", "a   0.1236\nb")
    assert "a 0.2" in differs("a 0.1", "a 0.2")
    assert differs("c 1", "a 1")
    assert differs("a\nb\n", "a\n")
    assert not differs("a\nx\ny\nb\n", "a\n...\nb\n")
    assert differs("a\nx\ny\nc\n", "a\n...\nb\n")


def test_blocks_go_on_with_the_names_of_those_above(tmp_path: Path) -> None:
    assert run(Program(["x = 2\nprint(x)\n", "print(x + 1)"], [None, None]), tmp_path) == [
        "2\n",
        "3\n",
    ]
