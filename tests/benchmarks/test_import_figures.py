"""The figures of an import graph, on a checkout small enough to count by hand."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "structure.py"

FILES = {
    "__init__.py": "from polyattr.top import top\n",
    "errors.py": "",
    "low.py": "import polyattr.errors\n",
    "top.py": (
        "from typing import TYPE_CHECKING\n"
        "from polyattr.rooms import inner\n"
        "from polyattr.low import anything\n"
        "if TYPE_CHECKING:\n    from polyattr.errors import E\n"
    ),
    "rooms/__init__.py": "",
    "rooms/inner.py": (
        "from .other import thing\n"
        "from polyattr.low import anything\n"
        "if __import__('typing').TYPE_CHECKING:\n    from polyattr.top import top\n"
    ),
    "rooms/other.py": "def late():\n    from polyattr.rooms.inner import x\n",
    "methods/__init__.py": "\n\n\n",
}


@pytest.fixture(scope="module")
def structure():
    spec = importlib.util.spec_from_file_location("structure", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path):
    for name, source in FILES.items():
        path = tmp_path / "polyattr" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return tmp_path


def test_figures(structure, checkout):
    assert structure.figures(checkout) == {
        "modules in the root": "4",
        "modules of the core": "8",
        # errors, low, inner, top, polyattr
        "levels up to `import polyattr`": "5",
        "levels of the whole core": "5",
        "arrows in the core at import": "6",
        "arrows in the core for types": "2",
        "arrows in the core in functions": "1",
        "circles at import": "0",
        "circles with imports for types": "1; polyattr.rooms.inner <-> polyattr.top",
        "circles with those in functions": (
            "1; polyattr.rooms.inner <-> polyattr.rooms.other <-> polyattr.top"
        ),
        "lines of engine + sampling + explainer + methods": "0 + 0 + 0 + 3 = 3",
    }


def test_a_circle_is_one_level(structure):
    graph = {"a": frozenset("b"), "b": frozenset("ac"), "c": frozenset()}
    assert structure.circles(graph) == [("a", "b")]
    assert structure.levels(graph) == {"a": 2, "b": 2, "c": 1}


def test_what_is_no_checkout_is_said_to_be_none(structure, tmp_path):
    with pytest.raises(SystemExit, match="expected a checkout of polyattr"):
        structure.figures(tmp_path)
