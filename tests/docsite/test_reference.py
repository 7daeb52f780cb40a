"""The reference: every public name is in it once, with its words, and nothing of another markup."""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

import polyattr
from docsite.docstrings import first_sentence, to_markdown
from docsite.markdown import headings, prose
from docsite.navigation import ROOT
from docsite.reference import anchors, public_packages, reference_pages, text_of

PAGES = reference_pages()
TEXTS = {page.name: text_of(page) for page in PAGES}
PLACES = anchors(PAGES)
THINGS = {id(thing) for page in PAGES for thing in page.entries.values()}
# Their reference is that of commands, and of what calls them.
COMMANDS = {"cli", "demo"}


def test_the_packages_are_those_that_offer_names() -> None:
    found = set(public_packages())
    assert found >= {"backend", "baselines", "domains", "plots", "regions", "sampling", "testing"}
    for path in (ROOT / "polyattr").glob("*/__init__.py"):
        name = path.parent.name
        offered = getattr(importlib.import_module(f"polyattr.{name}"), "__all__", ())
        own = set(offered) - set(polyattr.__all__)
        assert (name in found) == bool(own and name not in COMMANDS), name


@pytest.mark.parametrize("package", ["", *public_packages()])
def test_every_public_name_is_documented(package: str) -> None:
    module = importlib.import_module(f"polyattr.{package}".rstrip("."))
    for name in module.__all__:
        thing = getattr(module, name)
        if inspect.ismodule(thing):
            assert thing.__name__.removeprefix("polyattr.") in public_packages()
        elif name != "__version__":
            assert id(thing) in THINGS, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_name_has_one_heading_and_says_something(page) -> None:
    text = TEXTS[page.name]
    found = [heading.anchor for heading in headings(text)]
    assert len(set(found)) == len(found)
    for name, thing in page.entries.items():
        assert found.count(name) == 1
        part = text.split(f"{{#{name}}}")[1].split("\n## ")[0]
        if isinstance(thing, type) or inspect.isfunction(thing):
            words = inspect.getdoc(thing).split()[:4]
            assert re.sub(r"\W", "", "".join(words))[:12] in re.sub(r"\W", "", part), name
        assert len(prose(part).split()) >= 3, name


def test_a_value_has_the_words_of_its_own_package() -> None:
    part = TEXTS["sampling"].split("{#polyattr.sampling.DEFAULT_TOLERANCE}")[1].split("\n## ")[0]
    assert "= 0.01\n" in part
    assert "Error that points are chosen for" in part


def test_members_are_documented_where_readers_look() -> None:
    for name in ("explain", "attribute", "function", "refine", "warm", "citation"):
        assert PLACES[f"polyattr.Explainer.{name}"].startswith("reference/explainer.md#")
    for name in ("plot", "save", "worst", "to_frame", "to_numpy"):
        assert f"polyattr.Attribution.{name}" in PLACES
    assert not [name for name in PLACES if "._" in name]


def test_arguments_of_methods_are_theirs_alone() -> None:
    part = TEXTS["methods"].split("{#polyattr.IntegratedGradients}")[1].split("\n## ")[0]
    listed = set(re.findall(r"^- `(\w+)`: ", part.split("**Raises**")[0], re.M))
    own = set(inspect.signature(polyattr.IntegratedGradients).parameters)
    assert listed - {"model"} == own - set(inspect.signature(polyattr.Explainer).parameters)
    assert "    rule: str = 'trapezoid'," in part
    assert "those of [`Explainer`]" in part


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_of_another_markup_is_left(name: str) -> None:
    text = re.sub(r"^```.*?^```", "", TEXTS[name], flags=re.M | re.S)
    assert not re.findall(r":\w+:`|^\.\. \w+::|^(?:Args|Returns|Raises|Example):$", text, re.M)


def test_an_example_that_is_fenced_already_stays_so() -> None:
    fenced = "```python\nlog(x, *y)\n```"
    assert to_markdown(f"Logs.\n\nExample:\n    {fenced.replace(chr(10), chr(10) + '    ')}") == (
        f"Logs.\n\n**Example**\n\n{fenced}"
    )


def test_bars_of_equations_stay_bars_in_tables() -> None:
    row = next(line for line in TEXTS["methods"].splitlines() if "(#polyattr.Saliency)" in line)
    assert "$`\\vert \\partial f / \\partial x_i\\vert `$" in row
    assert not re.findall(r"\$`[^`]*\\\|", "".join(TEXTS.values()))


def test_a_docstring_becomes_markdown() -> None:
    text = """Does *x < 1 and more.

    .. math:: a_i
        + b

    Args:
        one: The first, (N, *F),
            and ``code``.
        two: The second.

    Returns:
        A thing.

    Example:
        >>> 1
        1
    """
    assert to_markdown(text, leave_out={"two"}) == (
        "Does \\*x &lt; 1 and more.\n\n```math\na_i\n    + b\n```\n\n**Arguments**\n\n"
        "- `one`: The first, (N, \\*F), and ``code``.\n\n**Returns**\n\nA thing.\n\n"
        "**Example**\n\n```pycon\n>>> 1\n1\n```"
    )
    assert first_sentence(text) == "Does \\*x &lt; 1 and more."
