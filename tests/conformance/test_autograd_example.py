"""The backend docs/write-a-backend.md writes, executed from the page and put through the suite."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import polyattr
from polyattr.testing import BackendConformance
from polyattr.testing.hooks import Hooks

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
WHOLE, USE, FILES, SUITE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)

# What is executed is the project's own page.
NAMES = {"__name__": "polyattr_autograd"}
exec(compile(WHOLE, "docs/write-a-backend.md", "exec"), NAMES)
exec(compile(SUITE, "docs/write-a-backend.md", "exec"), NAMES)

TestAutograd = NAMES["TestAutograd"]


def test_the_class_runs_the_suite():
    assert issubclass(TestAutograd, BackendConformance)
    assert TestAutograd.backend is NAMES["backend"]


def test_the_backend_is_small():
    lines = [line for line in WHOLE.splitlines() if line.strip()]
    assert 40 <= len(lines) < 100


def test_its_use(capsys):
    try:
        exec(compile(USE, "docs/write-a-backend.md", "exec"), dict(NAMES))
    finally:
        polyattr.unregister("autograd")
    assert "<Attribution of 2 samples by IntegratedGradients" in capsys.readouterr().out


def test_its_files(tmp_path):
    names = {}
    exec(compile(FILES, "docs/write-a-backend.md", "exec"), names)
    (kind,) = names["FILES"]
    path = tmp_path / "weights.txt"
    path.write_text("# tanh-1\n2.0\n-1.0\n")
    assert kind.recognises(path)
    assert not kind.recognises(tmp_path)
    method = polyattr.GradientInput(kind.load(path, False), backend=NAMES["backend"])
    x = np.array([[0.5, -1.0]])
    np.testing.assert_allclose(method.explain(x), x * [2.0, -1.0] / np.cosh(x) ** 2)


@pytest.mark.parametrize("verb", sorted(vars(polyattr.GradBackend)))
def test_every_verb_is_on_the_page(verb):
    if verb.startswith("_") or verb in {"abstractmethods", "polyattr_claim"}:
        return
    assert f"`{verb}" in PAGE


@pytest.mark.parametrize("hook", [name for name in vars(Hooks) if name[0] != "_"])
def test_every_hook_is_on_the_page(hook):
    assert hook == "backend" or f"| `{hook}" in PAGE


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the page's class as the distribution the page describes, built by pip."""
    project, target = tmp_path_factory.mktemp("project"), tmp_path_factory.mktemp("installed")
    (project / "polyattr_autograd").mkdir()
    (project / "polyattr_autograd" / "__init__.py").write_text(WHOLE, encoding="utf-8")
    (settings,) = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)
    (project / "pyproject.toml").write_text(settings, encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-index"]
    offline = ["--no-deps", "--no-build-isolation", "--target", str(target), str(project)]
    done = subprocess.run([*pip, *offline], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_the_distribution_on_the_page_is_found(installed):
    code = (
        "import numpy as np, polyattr\n"
        "x = np.array([[1.0, 2.0]])\n"
        "method = polyattr.GradientInput(lambda x: (x * x).sum(axis=1), backend='autograd')\n"
        "print(method.explain(x), polyattr.backends()['autograd'].provider)"
    )
    paths = [str(installed), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.stdout.split() == ["[[2.", "8.]]", "polyattr-autograd"], done.stderr
