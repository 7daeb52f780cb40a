"""The backend docs/write-a-backend.md writes, executed from the page and put through the suite."""

import re
from pathlib import Path

import pytest

import polyattr
from polyattr.testing import BackendConformance

PAGE = (Path(__file__).parents[2] / "docs" / "write-a-backend.md").read_text(encoding="utf-8")
WHOLE, USE, SUITE = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)

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


@pytest.mark.parametrize("verb", sorted(vars(polyattr.GradBackend)))
def test_every_verb_is_on_the_page(verb):
    if verb.startswith("_") or verb in {"abstractmethods", "polyattr_claim"}:
        return
    assert f"`{verb}" in PAGE
