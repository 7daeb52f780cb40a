"""The order of the pages, as docs/navigation.toml has it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docsite.markdown import summary, title

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Pages of the project that the site shows besides those of docs/, by where it shows them.
BESIDE = {
    "index.md": "README.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
    "security.md": "SECURITY.md",
    "benchmarks.md": "benchmarks/README.md",
}
REFERENCE = "reference/"


@dataclass(frozen=True)
class Page:
    """A page of the site.

    Attributes:
        path: Where it stands in the site's sources: below docs/, or a key of `BESIDE`.
        given: Its title in the navigation, where that is not its heading.
        told: What it is about, where its first sentence does not say so.
    """

    path: str
    given: str = ""
    told: str = ""

    @property
    def file(self) -> Path:
        """The file that holds its text."""
        return ROOT / BESIDE[self.path] if self.path in BESIDE else DOCS / self.path

    @property
    def text(self) -> str:
        """Its Markdown."""
        return self.file.read_text(encoding="utf-8")

    @property
    def title(self) -> str:
        """What the navigation calls it."""
        return self.given or title(self.text)

    @property
    def says(self) -> str:
        """What it is about, in one sentence."""
        return self.told or summary(self.text)


@dataclass(frozen=True)
class Section:
    """A heading of the navigation and its pages; `reference` stands for those that are generated.

    Attributes:
        title: The heading.
        pages: Its pages.
        reference: Whether it is the reference.
    """

    title: str
    pages: tuple[Page, ...]
    reference: bool = False


def sections() -> list[Section]:
    """The sections in order.

    A folder, written with a slash, stands for all its pages that are not named, by title.
    """
    known = tomllib.loads((DOCS / "navigation.toml").read_text(encoding="utf-8"))
    titles, told = known["titles"], known["says"]
    named = {path for section in known["section"] for path in section["pages"]}
    found = []
    for section in known["section"]:
        paths = [path for entry in section["pages"] for path in _paths(entry, named)]
        pages = tuple(Page(path, titles.get(path, ""), told.get(path, "")) for path in paths)
        if pages or REFERENCE in section["pages"]:
            found.append(Section(section["title"], pages, REFERENCE in section["pages"]))
    return found


def _paths(entry: str, named: set[str]) -> list[str]:
    if entry == REFERENCE:
        return []
    if not entry.endswith("/"):
        return [entry]
    there = {path.relative_to(DOCS).as_posix() for path in (DOCS / entry).glob("*.md")}
    return sorted(there - named, key=lambda path: Page(path).title.lower())


def pages() -> Iterator[Page]:
    """All pages but those of the reference."""
    for section in sections():
        yield from section.pages
