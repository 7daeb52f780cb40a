"""Links: every one of a page leads somewhere; the checker of the built site sees faults."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from docsite.built_links import complaints
from docsite.markdown import headings, links
from docsite.navigation import DOCS, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "benchmarks" / "README.md"])
TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
ANCHORS = {path: {heading.anchor for heading in headings(text)} for path, text in TEXTS.items()}


def problem(path: Path, link: str) -> str:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:  # nothing is asked of other hosts
        well = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        return "" if well else "no well-formed address"
    there = (path.parent / parts.path).resolve() if parts.path else path
    if not there.is_relative_to(ROOT) or not there.exists():
        return "no such file"
    if parts.fragment and parts.fragment not in ANCHORS.get(there, ()):
        return f"no heading {parts.fragment}"
    return ""


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(path: Path) -> None:
    found = {link: problem(path, link) for link in links(TEXTS[path])}
    assert not {link: said for link, said in found.items() if said}


def test_links_are_found_at_all() -> None:
    assert len(list(links(TEXTS[DOCS / "models.md"]))) > 30
    assert any("#" in link for link in links(TEXTS[DOCS / "when-it-does-not-work.md"]))
    assert "docs/demo.png" in set(links(TEXTS[ROOT / "README.md"]))
    assert not list(links("```python\nx = [f](y)\n```\n<!-- [a](b) -->\n"))


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("nowhere.md", "no such file"),
        ("results.md#nowhere", "no heading nowhere"),
        ("results.md#names", ""),
        ("../../elsewhere.md", "no such file"),
        ("https://arxiv.org/abs/1703.01365", ""),
        ("http://arxiv.org", "no well-formed address"),
        ("https://arxiv", "no well-formed address"),
    ],
)
def test_a_link_to_nowhere_is_seen(link: str, said: str) -> None:
    assert problem(DOCS / "models.md", link) == said


def test_anchors_are_those_of_a_reader_of_markdown() -> None:
    text = "# A\n\n## IG: a & `b`, what?\n\n## B_c-d [link](x)\n\n## A\n\n## Own {#its.Own}\n"
    found = [heading.anchor for heading in headings(text)]
    assert found == ["a", "ig-a--b-what", "b_c-d-link", "a-1", "its.Own"]


GOOD = '<a href="b.html#there">b</a><img src="x.png"><a href="https://a.org/b">a</a><p id="here">'


def site(folder: Path, body: str) -> list[str]:
    (folder / "x.png").write_bytes(b"")
    (folder / "b.html").write_text('<h2 id="there">b</h2><a href="/a.html#here">a</a>')
    (folder / "a.html").write_text(f"<html>{GOOD}{body}</html>")
    return complaints(folder)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", []),
        ('<a href="c.html">', ["a.html links to c.html: no such file"]),
        ('<a href="b.html#here">', ["a.html links to b.html#here: no anchor here"]),
        ('<a href="#there">', ["a.html links to #there: no anchor there"]),
        ('<a href="/c.html">', ["a.html links to /c.html: no such file"]),
        ('<img src="y.png">', ["a.html links to y.png: no such file"]),
        ('<a href="b.html#:~:text=b">', []),
        ('<a href="http://a.org">', ["a.html links to http://a.org: no well-formed address"]),
        ('<script src="https://a.org/x.js"></script>', ["a.html fetches https://a.org/x.js"]),
        ('<link rel="stylesheet" href="//a.org/x.css">', None),
        ('<link rel="preconnect" href="https://a.org">', ["a.html fetches https://a.org"]),
        ('<link rel="canonical" href="https://a.org/a.html">', []),
    ],
)
def test_a_fault_of_the_site_is_seen(body: str, said: list[str] | None, tmp_path: Path) -> None:
    found = site(tmp_path, body)
    assert found == said if said is not None else "a.html fetches //a.org/x.css" in found


def test_a_style_that_fetches_is_seen(tmp_path: Path) -> None:
    assert not site(tmp_path, "")
    (tmp_path / "x.css").write_text("a { background: url('https://a.org/f.woff2') url(x.png) }")
    assert complaints(tmp_path) == ["x.css fetches https://a.org/f.woff2"]
