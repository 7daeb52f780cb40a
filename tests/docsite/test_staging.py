"""The sources of the site: links hold there, equations are drawn, names lead to the reference."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from docsite.markdown import blocks, links
from docsite.navigation import ROOT, pages

pytestmark = pytest.mark.skipif(
    os.environ.get("POLYATTR_TEST_SITE") != "1",
    reason="nox -s site runs it: it needs the extra docs",
)


@pytest.fixture(scope="module")
def staged(tmp_path_factory) -> Path:
    from docsite.staging import stage

    return stage(tmp_path_factory.mktemp("site")).folder


def text(staged: Path, name: str) -> str:
    return (staged / name).read_text(encoding="utf-8")


def test_every_page_is_there(staged: Path) -> None:
    assert all((staged / page.path).is_file() for page in pages())
    assert (staged / "methods" / "idgi.png").is_file()
    listed = text(staged, "reference/index.md")
    assert "[`IntegratedGradients`](methods.md#polyattr.IntegratedGradients)" in listed


def test_links_of_the_readme_lead_to_pages_of_the_site(staged: Path) -> None:
    found = set(links(text(staged, "index.md")))
    assert {"tour.md", "gallery/uncertainty.png", "contributing.md", "benchmarks.md"} <= found
    assert not [link for link in found if link.startswith(("docs/", "benchmarks/"))]


def test_a_link_to_a_test_leads_to_its_text_and_its_line(staged: Path) -> None:
    found = [link for link in links(text(staged, "models.md")) if link.startswith("source/")]
    assert len(found) >= 20
    for link in found:
        path, _, spot = link.partition("#")
        source = (ROOT / path.removeprefix("source/").removesuffix(".txt")).read_text("utf-8")
        assert text(staged, path) == source
        assert spot.removeprefix(":~:text=").replace("%20", " ") in source


def test_equations_are_drawn_everywhere(staged: Path) -> None:
    for path in staged.rglob("*.md"):
        page = path.read_text(encoding="utf-8")
        assert "math" not in {block.language for block in blocks(page)}
        assert "$`" not in page
    page = text(staged, "methods/integrated-gradients.md")
    (drawn,) = re.findall(r'<div class="equation">(<math .*?</math>)</div>', page)
    assert 'display="block"' in drawn
    assert "<mfrac>" in drawn
    assert "&#x0222B;" in drawn  # the integral
    assert "\n" not in drawn


def test_names_are_linked_once_and_not_in_code_or_headings(staged: Path) -> None:
    page = text(staged, "methods/saliency.md")
    assert page.count("](../reference/methods.md#polyattr.Saliency)") == 1
    assert "import polyattr\n" in page
    for path in staged.rglob("*.md"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not (line.startswith("#") and "](reference/" in line)
    from docsite.staging import _named

    known = {"polyattr.Names": "reference/results.md#polyattr.Names"}
    told = _named("## `Names`\n\n`Names` and `Names`, [`Names`](x.md).\n", "a/b.md", known)
    assert told == (
        "## `Names`\n\n[`Names`](../reference/results.md#polyattr.Names) and `Names`, "
        "[`Names`](x.md).\n"
    )
