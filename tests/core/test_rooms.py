"""The rooms of the house: who may import whom, and how large a room, a file, a function may be."""

import ast
import re
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import polyattr
import polyattr_keras
from polyattr import backend, methods
from polyattr.testing.reference import METHODS

ROOT = Path(__file__).parents[2]
LEVELS = (
    *("errors", "dtypes", "_version", "backend", "question", "baselines", "domains"),
    *("results", "scores", "sampling"),
    *("engine", "probing", "explainer", "methods", "interactions", "patching"),
    *("datasets", "__init__"),
)
WINGS = {
    "plots",
    "metrics",
    "regions",
    "reports",
    "integrations",
    "cli",
    "demo",
    "testing",
    "__main__",
}
ARROWS = {("reports", "plots"), ("cli", "reports"), ("cli", "demo"), ("demo", "plots")}
ARROWS |= {("metrics", "plots"), ("__main__", "cli")}  # figures; the command
# A file is read and drawn without an engine; who only reads it needs no drawing library.
LAZY = {
    ("polyattr.results.attribution", "polyattr.plots.choice"),
    ("polyattr.results.attribution", "polyattr.reports.writing"),
}

DOORS = {"polyattr": polyattr, "polyattr.backend": backend, "polyattr_keras": polyattr_keras}
LIBRARIES = {
    "polyattr_keras": set(),
    "polyattr_model_files": {"torch", "tensorflow", "keras"},
    "polyattr_torch": {"numpy", "torch"},
    "polyattr_tensorflow": {"numpy", "tensorflow", "keras"},
    "polyattr_jax": {"numpy", "jax", "flax", "equinox", "haiku"},
}


def modules(folder):
    """The modules of a source root by name; a package goes by its own name."""
    paths = sorted(folder.rglob("*.py"))
    names = [path.relative_to(folder.parent).with_suffix("").parts for path in paths]
    return {".".join(n).removesuffix(".__init__"): p for n, p in zip(names, paths, strict=True)}


CORE = modules(ROOT / "polyattr")
PLUGINS = {name: modules(ROOT / "backends" / name) for name in LIBRARIES}
FILES = [path for known in (CORE, *PLUGINS.values()) for path in known.values()]


def imports(path):
    """What a file imports, wherever in the file: (module, name or None, inside a function)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    inside = {id(n) for f in ast.walk(tree) if isinstance(f, kinds) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, None, id(node) in inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: a relative import"
            yield from ((node.module, alias.name, id(node) in inside) for alias in node.names)


def edges(name, path, known):
    """The modules among the known ones that a module imports."""
    for module, what, inside in imports(path):
        target = f"{module}.{what}" if f"{module}.{what}" in known else module
        if target in known and not (inside and (name, target) in LAZY):
            yield target


def room(name):
    return [*name.split("."), "__init__"][1]


@pytest.mark.parametrize("name", CORE)
def test_a_module_imports_only_what_stands_below_it(name):
    here = room(name)
    assert here in {*LEVELS, *WINGS}
    for target in edges(name, CORE[name], CORE):
        there = room(target)
        if there in WINGS:
            assert here == there or (here, there) in ARROWS, target
        elif here not in WINGS:
            assert LEVELS.index(there) <= LEVELS.index(here), target


@pytest.mark.parametrize("known", [CORE, *PLUGINS.values()], ids=["polyattr", *PLUGINS])
def test_no_modules_import_each_other_in_a_circle(known):
    graph = {name: set(edges(name, path, known)) for name, path in known.items()}
    TopologicalSorter(graph).prepare()  # names the circle, if there is one


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_backend_comes_in_by_the_door(plugin):
    light = plugin in {"polyattr_keras", "polyattr_model_files"}
    doors = {"polyattr.backend"} if light else set(DOORS)
    for path in PLUGINS[plugin].values():
        for module, name, _ in imports(path):
            top = module.partition(".")[0]
            if module in doors and name is not None:
                assert name in DOORS[module].__all__, f"{path}: {module}.{name}"
            else:
                assert top in {*sys.stdlib_module_names, *LIBRARIES[plugin], plugin}, path


@pytest.mark.parametrize("door", DOORS)
def test_a_door_is_complete_and_names_nothing_that_is_not_there(door):
    public = DOORS[door].__all__
    assert len(set(public)) == len(public)
    assert all(hasattr(DOORS[door], name) for name in public)


def test_every_backend_has_the_same_file_names():
    for plugin in set(PLUGINS) - {"polyattr_keras", "polyattr_model_files"}:
        stems = {path.stem for path in (ROOT / "backends" / plugin).glob("*.py")}
        assert {"backend", "binding", "bound_function", "bound_keras", "demo_network"} <= stems


def test_core_imports_no_framework():
    frameworks = set().union(*LIBRARIES.values()) - {"numpy"} | {"tf_keras", "jaxlib", *PLUGINS}
    for path in CORE.values():
        assert not {module.partition(".")[0] for module, *_ in imports(path)} & frameworks, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_has_300_lines_and_a_function_40_at_most(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 40, node.name


@pytest.mark.parametrize("folder", sorted({p.parent for p in FILES}), ids=lambda f: f.name)
def test_a_room_has_12_modules_at_most_and_the_root_5(folder):
    limit = 5 if folder == ROOT / "polyattr" else 12
    assert len(list(folder.glob("*.py"))) <= limit


def test_a_method_is_a_file_an_export_and_a_check():
    files = {path.stem for path in (ROOT / "polyattr" / "methods").rglob("*.py")} - {"__init__"}
    snake = {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in methods.__all__}
    assert files == snake
    assert set(methods.__all__) == set(METHODS)
