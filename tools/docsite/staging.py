"""The sources of the site: the pages, with links that hold there, and the generated reference."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from docsite.equations import drawn
from docsite.markdown import change_links, outside_blocks
from docsite.navigation import BESIDE, DOCS, ROOT, Page, Section, pages
from docsite.reference import ReferencePage, anchors, reference_pages, text_of

INDEX = "reference/index.md"
_KINDS = {".png", ".svg", ".css", ".txt"}
_NAME = re.compile(
    r"(?<![\w`\[])`((?:[A-Z]\w+|polyattr\.[\w.]+|[a-z]+\.\w+)(?:\.\w+)*)(?:\(\))?`(?!\])"
)
# Others than these are words of code first, and seldom the name of a package's function.
_LINKED = re.compile(r"polyattr\.|plots\.|baselines\.|domains\.|regions\.|[A-Z]")


@dataclass
class Staged:
    """What was put into a folder for the generator.

    Attributes:
        folder: Where.
        reference: The generated pages.
        sources: Files of the repository that pages link to, and are shown as text.
    """

    folder: Path
    reference: list[ReferencePage] = field(default_factory=list)
    sources: set[str] = field(default_factory=set)


def stage(folder: Path) -> Staged:
    """Writes the sources of the site into an empty folder.

    Args:
        folder: Where; made if it is not there.
    """
    staged = Staged(folder, reference_pages())
    for path in sorted(DOCS.rglob("*")):
        if path.suffix in _KINDS:
            _copy(path, folder / path.relative_to(DOCS))
    known = anchors(staged.reference)
    for page in pages():
        text = change_links(page.text, partial(_link, staged, page))
        _write(folder / page.path, drawn(_named(text, page.path, known)))
    for made in staged.reference:
        _write(folder / made.path, drawn(_named(text_of(made), made.path, known)))
    _write(folder / INDEX, index_text(staged.reference))
    for name in staged.sources:
        _copy(ROOT / name, folder / "source" / f"{name}.txt")
    return staged


def index_text(reference: list[ReferencePage]) -> str:
    """The first page of the reference: what is where."""
    rows = [
        f"| [{page.title}]({page.name}.md) | "
        + ", ".join(f"[`{n.rpartition('.')[2]}`]({page.name}.md#{n})" for n in page.entries)
        + " |"
        for page in reference
    ]
    head = "Every public name, from its docstring; `help(polyattr.Attribution)` says the same."
    return "\n".join(["# Reference", "", head, "", "| page | names |", "|---|---|", *rows, ""])


def navigation(sections: list[Section], reference: list[ReferencePage]) -> str:
    """The navigation as Zensical's configuration has it."""
    lines = ["nav = ["]
    for section in sections:
        entries = [(page.title, page.path) for page in section.pages]
        if section.reference:
            entries += [("All names", INDEX), *((p.title, p.path) for p in reference)]
        shown = ", ".join(f'{{ "{title}" = "{path}" }}' for title, path in entries)
        lines.append(f'    {{ "{section.title}" = [{shown}] }},')
    return "\n".join([*lines, "]"])


def _link(staged: Staged, page: Page, shown: str, target: str) -> str:
    """Where a link of a page leads on the site."""
    if re.match(r"[a-z]+:|#", target):
        return target
    path, _, anchor = target.partition("#")
    there = Path(os.path.normpath(page.file.parent / path))
    name = there.relative_to(ROOT).as_posix()
    if not there.is_file():
        raise SystemExit(f"{page.file.relative_to(ROOT)} links to {target}, which is no file")
    by_file = {source: where for where, source in BESIDE.items()}
    inside = there.is_relative_to(DOCS)
    if name in by_file or inside:
        where = by_file.get(name) or there.relative_to(DOCS).as_posix()
        return _relative(page.path, where) + (f"#{anchor}" if anchor else "")
    staged.sources.add(name)
    # A browser scrolls to the words after this sign, also in plain text.
    spot = f"#:~:text=def%20{shown}" if shown.startswith("test_") else ""
    return _relative(page.path, f"source/{name}.txt") + spot


def _named(text: str, here: str, known: dict[str, str]) -> str:
    """Makes links of public names, the first time each stands in a page's prose."""
    done: set[str] = set()

    def changed(match: re.Match[str]) -> str:
        name = match[1]
        full = name if name.startswith("polyattr.") else f"polyattr.{name}"
        place = known.get(full)
        if place is None or full in done or not _LINKED.match(name):
            return match[0]
        path, _, anchor = place.partition("#")
        done.add(full)
        return f"[{match[0]}]({'' if path == here else _relative(here, path)}#{anchor})"

    def lines(part: str) -> str:
        return "".join(
            line if line.startswith("#") else _NAME.sub(changed, line)
            for line in part.splitlines(keepends=True)
        )

    return outside_blocks(text, lines)


def _relative(here: str, there: str) -> str:
    return Path(os.path.relpath(there, Path(here).parent)).as_posix()


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _copy(source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
