"""The pages beside the README: citation, security, issue forms and hooks say what is true."""

import inspect
import re
from pathlib import Path

import pytest

import polyattr

ROOT = Path(__file__).parents[2]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_citation_is_of_this_version():
    assert re.search(r"^version: (.*)$", text("CITATION.cff"), re.MULTILINE)[1] == (
        polyattr.__version__
    )


def test_the_citation_has_what_its_format_requires():
    cited = text("CITATION.cff")
    for key in ("cff-version: 1.2.0", "message: ", "title: polyattr", "authors:"):
        assert re.search(f"^{key}", cited, re.MULTILINE), key
    assert "\n  - name: The polyattr authors\n" in cited
    licence = re.search(r'^license = "(.*)"$', text("pyproject.toml"), re.MULTILINE)[1]
    assert f"\nlicense: {licence}\n" in cited


def test_the_security_page_states_the_limit_there_is():
    limit = inspect.signature(polyattr.load).parameters["max_bytes"].default
    assert f"`max_bytes` ({limit / 2**30:.0f} GiB" in text("SECURITY.md")


@pytest.mark.parametrize("form", ["bug", "wrong-number"])
def test_forms_ask_for_versions_by_a_command_that_works(form):
    page = text(f".github/ISSUE_TEMPLATE/{form}.yml")
    command = re.search(r'`python -c "(.*?)"`', page)[1]
    assert command == "import polyattr; print(polyattr.backends())"
    shown = repr(polyattr.backends())
    assert all(name in shown for name in ("torch", "tensorflow", "jax"))


def test_forms_are_told_apart():
    forms = [p for p in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if p.stem != "config"]
    names = [re.search(r"^name: (.*)$", p.read_text(), re.MULTILINE)[1] for p in forms]
    assert len(set(names)) == len(forms) == 3
    for form in forms:
        ids = re.findall(r"^    id: (.*)$", form.read_text(), re.MULTILINE)
        assert ids
        assert len(ids) == len(set(ids))


def test_the_security_page_names_the_form_it_means():
    named = re.search(r'issue form\s"(.*?)"', text("SECURITY.md"))[1]
    assert f"name: {named}\n" in text(".github/ISSUE_TEMPLATE/wrong-number.yml")


def test_hooks_run_what_the_sessions_run():
    entries = re.findall(r"^        entry: (.*)$", text(".pre-commit-config.yaml"), re.MULTILINE)
    hooks = [entry.replace(" --force-exclude", "").split() for entry in entries]
    runs = re.findall(r'session\.run\("(ruff|mypy)"(.*)\)', text("noxfile.py"))
    checks = [[tool, *re.findall(r'"([^"]+)"', rest)] for tool, rest in runs]
    assert [[word for word in check if word != "."] for check in checks] == hooks
    assert len(hooks) == 3
