"""The pages of methods: each method has one, whose facts are those of its class."""

from __future__ import annotations

import re

import pytest

import polyattr
from docsite.markdown import blocks, headings, prose, title
from docsite.method_pages import (
    FOLDER,
    GLANCE,
    equation,
    generated,
    glance,
    measured,
    method_classes,
    page_name,
    with_generated,
)

CLASSES = method_classes()
TEXTS = {kind: (FOLDER / page_name(kind)).read_text(encoding="utf-8") for kind in CLASSES}
PARTS = ("When to take it", "When not", "Whether it is good", "Example")
OUTDATED = "run python tools/write_pages.py"


def test_every_method_has_a_page_and_no_other_has() -> None:
    there = {path.name for path in FOLDER.glob("*.md")} - {GLANCE.name}
    assert there == {page_name(kind) for kind in CLASSES}
    named = {*polyattr.methods.__all__, *polyattr.interactions.__all__, *polyattr.patching.__all__}
    assert {kind.__name__ for kind in CLASSES} == named
    assert page_name(polyattr.IDGI) == "idgi.md"
    assert page_name(polyattr.BlurIntegratedGradients) == "blur-integrated-gradients.md"


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_generated_part_is_current(kind) -> None:
    assert with_generated(TEXTS[kind], kind) == TEXTS[kind], OUTDATED


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_page_says_all_of_it(kind) -> None:
    text = TEXTS[kind]
    assert tuple(h.text for h in headings(text) if h.level == 2) == PARTS
    assert len(title(text)) < 40
    for part in PARTS[:3]:
        assert len(prose(text.split(f"## {part}\n")[1].split("\n## ")[0]).split()) >= 20, part
    first, *_, code, printed = blocks(text)
    assert first.language == "math"
    assert (code.language, printed.language) == ("python", "text")
    assert f"polyattr.{kind.__name__}(" in code.code
    assert printed.code.strip()
    assert f"https://arxiv.org/abs/{kind.paper.arxiv}" in text
    assert kind.guide.when_not in text


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_a_page_has_a_picture_of_its_own(kind) -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\((\S+)\)", generated(kind))
    content = (FOLDER / picture).read_bytes()
    assert content.startswith(b"\x89PNG")
    assert 4_000 < len(content) <= 150_000


def test_equations_are_those_of_docstrings() -> None:
    assert equation(polyattr.GradientInput) == r"x_i \, \partial f / \partial x_i"
    assert equation(polyattr.IntegratedGradients).startswith(r"(x_i - b_i) \int_0^1")
    assert len({equation(kind) for kind in CLASSES}) == len(CLASSES)
    for kind in CLASSES:
        assert equation(kind).count("{") == equation(kind).count("}")


def test_the_overview_is_current() -> None:
    assert glance() == GLANCE.read_text(encoding="utf-8"), OUTDATED


def test_figures_are_those_measured_and_are_in_order() -> None:
    found = dict(measured())
    drawn = found.pop("any order")
    assert set(found) == {kind.__name__ for kind in CLASSES} - {"SmoothHess", "AttributionPatching"}
    for name, told in found.items():
        # Every method ranks pixels better than chance does, by many standard errors.
        apart = 5 * (told["deletion_error"] + drawn["deletion_error"])
        assert told["deletion"] + apart < drawn["deletion"], name
        assert told["insertion"] - 5 * told["insertion_error"] > drawn["insertion"], name
        row = next(line for line in glance().splitlines() if f"[`{name}`]" in line)
        assert f"| {told['deletion']:.3f} ± {told['deletion_error']:.3f} |" in row
    listed = re.findall(r"^\| \[`(\w+)`\]", glance(), re.M)
    assert listed == sorted(listed, key=lambda n: found.get(n, {"deletion": 1})["deletion"])
