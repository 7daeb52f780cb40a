"""Every public docstring has shapes, units, errors and source, and every example in one runs."""

import pytest
from docstring_examples import docstrings_with_examples, examples, frameworks_of, missing_of, run
from docstring_rules import complaints, docstring_of
from docstring_sections import parse
from labs import LABS, under_test
from public_api import is_method_class, packages, public_items

import polyattr
from polyattr import baselines, domains, interactions, methods

ITEMS = public_items()
EXAMPLES = list(examples(ITEMS))
HERE = [
    test
    for test in EXAMPLES
    if set(frameworks_of(test)) <= set(under_test(*LABS)) and not missing_of(test)
]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.name)
def test_docstring(item):
    found = complaints(item, docstring_of(item))
    assert not found, "\n".join(found)


def test_every_exported_name_is_checked():
    checked = {id(item.thing) for item in ITEMS}
    for package in (*packages(), baselines, domains):
        for name in package.__all__:
            thing = getattr(package, name)
            known = isinstance(thing, str) or thing in (baselines, domains)
            assert known or {id(thing), id(type(thing))} & checked, name


@pytest.mark.parametrize("test", HERE, ids=lambda test: test.name)
def test_example_runs(test, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # examples write files
    known = set(polyattr.backends())
    report = run(test)
    left = set(polyattr.backends()) - known
    for name in left:
        polyattr.unregister(name)
    assert not report, report
    assert not left


@pytest.mark.parametrize("test", EXAMPLES, ids=lambda test: test.name)
def test_example_is_about_one_framework_at_most(test):
    """So it runs in the session of that framework, or in all."""
    assert len(frameworks_of(test)) <= 1
    assert not any("SKIP" in line.source for line in test.examples)


def test_users_of_every_framework_find_examples():
    of_methods = {item.name for item in ITEMS if is_method_class(item)}
    assert of_methods == {*methods.__all__, *interactions.__all__}
    for name in LABS:
        found = [test.name for test in EXAMPLES if frameworks_of(test) == [name]]
        assert of_methods & set(found), f"no method's example is written for {name}"


def test_no_example_stands_where_none_is_run():
    public = {parse(item.thing.__doc__).sections.get("Example") for item in ITEMS}
    waiting = [f"backends/polyattr_{name}/" for name in LABS if name not in under_test(*LABS)]
    for text, where in docstrings_with_examples().items():
        elsewhere = where.startswith(tuple(waiting)) if waiting else False
        assert elsewhere or parse(text).sections.get("Example") in public, where
