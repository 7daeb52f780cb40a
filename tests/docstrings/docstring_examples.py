"""The examples in docstrings, and the framework each of them imports."""

import ast
import doctest
import inspect
from importlib.util import find_spec
from pathlib import Path

from labs import LABS

ROOT = Path(__file__).parents[2]
# `nox -s shap` has them, and the sessions of the frameworks have some.
OPTIONAL = {"ddsketch", "jinja2", "pandas", "shap", "xarray", "zarr"}


def examples(items):
    """One DocTest per docstring that has an example, with nothing but builtins to begin with."""
    parser = doctest.DocTestParser()
    for item in items:
        text = inspect.cleandoc(item.thing.__doc__ or "")
        test = parser.get_doctest(text, {"__name__": "__main__"}, item.name, None, 0)
        if test.examples:
            yield test


def frameworks_of(test):
    """The frameworks whose package, or polyattr plugin, an example imports."""
    roots = {name.partition(".")[0].removeprefix("polyattr_") for name in _imports(test)}
    return sorted(roots & set(LABS))


def missing_of(test):
    """The optional libraries an example imports that are not installed here."""
    roots = {name.partition(".")[0] for name in _imports(test)}
    return [name for name in sorted(roots & OPTIONAL) if find_spec(name) is None]


def _imports(test):
    for node in ast.walk(ast.parse("".join(example.source for example in test.examples))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def run(test):
    """Runs an example as a reader would paste it; returns what differed from what is printed."""
    report = []
    flags = doctest.ELLIPSIS
    doctest.DocTestRunner(verbose=False, optionflags=flags).run(test, out=report.append)
    return "".join(report)


def docstrings_with_examples():
    """Every docstring in the sources that holds an example, public or not: {text: where}."""
    found = {}
    for root in ("polyattr", "backends"):
        for path in sorted((ROOT / root).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                    text = ast.get_docstring(node) or ""
                    if ">>> " in text:
                        found[text] = f"{path.relative_to(ROOT)}: {getattr(node, 'name', '')}"
    return found
