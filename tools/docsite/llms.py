"""llms.txt: all pages with a line on each, for readers that are programs."""

from __future__ import annotations

from collections.abc import Callable

from docsite.navigation import BESIDE, ROOT, Page, sections
from docsite.reference import ReferencePage

FILE = ROOT / "llms.txt"


def in_repository() -> str:
    """The list as it is checked in: links from the root of the repository."""
    return _text(lambda page: BESIDE.get(page.path, f"docs/{page.path}"), [])


def on_site(reference: list[ReferencePage]) -> str:
    """The list as the site has it: the Markdown of each page stands beside its HTML."""
    return _text(lambda page: page.path, reference)


def _text(where: Callable[[Page], str], reference: list[ReferencePage]) -> str:
    readme = Page("index.md")
    lines = [f"# {readme.title}", "", f"> {readme.says}"]
    for section in sections():
        shown = [f"- [{page.title}]({where(page)}): {page.says}" for page in section.pages]
        if section.reference:
            shown += [
                f"- [{page.title}]({page.path}): {', '.join(page.entries)}" for page in reference
            ] or ["- Every public name has a docstring: `help(polyattr.IntegratedGradients)`."]
        lines += ["", f"## {section.title}", "", *shown]
    return "\n".join(lines) + "\n"
