"""CONTRIBUTING.md names files, sessions and rooms: all of them are there, and none is left out."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SPANS = re.findall(r"`([^`]+)`", PAGE)
LINKS = re.findall(r"\]\(([^)]+)\)", PAGE)
COMMANDS = re.findall(r"^\| .* \| `(.*)` \|$", PAGE.split("## The floor plan")[0], re.MULTILINE)
# What commands of the page take from the newcomer, or make there, and so is not here.
THEIRS = {"../polyattr-before", ".venv/bin/activate", "build/site"}


def words():
    return {word.strip('",') for span in SPANS for word in span.split()}


def paths():
    """Whatever looks like a file or folder, in code or as a link."""
    files = {word for word in words() if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", word)}
    named = {word for word in files if "/" in word or re.search(r"\.(py|md|txt|toml)$", word)}
    return sorted((named | set(LINKS)) - THEIRS)


def noxfile():
    return ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))


def sessions():
    functions = [node for node in noxfile().body if isinstance(node, ast.FunctionDef)]
    return {f.name for f in functions if "nox.session" in map(called, f.decorator_list)}


def called(decorator):
    return ast.unparse(decorator.func if isinstance(decorator, ast.Call) else decorator)


def by_default():
    for node in noxfile().body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "nox.options.sessions":
            return ast.literal_eval(node.value)
    raise AssertionError("noxfile.py no longer says which sessions run by default")


@pytest.mark.parametrize("path", paths())
def test_every_path_is_there(path):
    assert (ROOT / path).exists()
    assert (ROOT / path).is_dir() == path.endswith("/")


def test_paths_are_found_in_the_page():
    assert {"constraints.txt", "polyattr/methods/", "docs/write-a-backend.md"} <= set(paths())
    assert len(paths()) >= 30


def test_ten_commands():
    assert len(COMMANDS) == 10
    assert sum("pip install -c constraints.txt" in command for command in COMMANDS) == 1


def test_every_session_is_there():
    named = re.findall(r"nox -s ([\w()]+)", PAGE)
    assert {"quick", "lint", "types", "docs"} <= set(named)
    assert set(named) <= sessions()


def test_the_quick_session_is_asked_for_by_name():
    assert by_default()
    assert "quick" not in by_default()


def test_every_test_path_of_the_quick_session_is_there():
    quick = next(n for n in noxfile().body if isinstance(n, ast.Assign) and name(n) == "QUICK")
    halves = ast.literal_eval(quick.value)
    assert len(halves) == 2
    assert all((ROOT / path).is_dir() for half in halves for path in half)


def name(assignment):
    return ast.unparse(assignment.targets[0])


def test_the_floor_plan_has_every_room():
    plan = PAGE.split("## The floor plan")[1].split("\n## ")[0]
    rooms = {path.parent.name for path in (ROOT / "polyattr").glob("*/__init__.py")}
    assert set(re.findall(r"`polyattr/(\w+)/`", plan)) == rooms


def test_levels_are_numbered_without_a_gap():
    levels = [int(level) for level in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert levels == sorted(levels)
    assert set(levels) == set(range(1, max(levels) + 1))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("RULES", "polyattr/sampling/quadrature.py"),
        ("EVERY", "tests/core/test_rules.py"),
        ("TASKS", "polyattr/scores/tasks.py"),
        ("BackendConformance", "polyattr/testing/conformance.py"),
        ("GradBackend", "polyattr/backend/interface.py"),
    ],
)
def test_what_the_page_names_stands_in_the_file_it_names(name, path):
    assert {name, path} <= words()
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            defined |= {ast.unparse(target) for target in targets}
    assert name in defined
