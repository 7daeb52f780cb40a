"""Every link of the built site: it leads somewhere, and nothing is fetched from elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches without being asked; `link` only where it is a resource.
_FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "link": "href"}
_NOT_FETCHED = {"canonical", "next", "prev", "alternate", "author", "license"}


@dataclass
class Found(HTMLParser):
    """The anchors and links of one page.

    Attributes:
        anchors: Every id, and name of an anchor.
        links: Where readers can go.
        fetched: What the browser fetches.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what a tag holds."""
        known = {name: value or "" for name, value in attrs}
        self.anchors |= {known[name] for name in ("id", "name") if known.get(name)}
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        rel = set(known.get("rel", "").split())
        if known.get(_FETCHED.get(tag, "")) and not rel & _NOT_FETCHED:
            self.fetched.append(known[_FETCHED[tag]])


def complaints(site: Path) -> list[str]:
    """What is wrong with the links of a built site, a sentence each.

    Args:
        site: Its folder.
    """
    site = site.resolve()
    pages = {path: _read(path) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        here = path.relative_to(site).as_posix()
        found += [f"{here} fetches {url}" for url in page.fetched if urlsplit(url).netloc]
        for url in (*page.links, *page.fetched):
            problem = _problem(site, path, url, pages)
            if problem:
                found.append(f"{here} links to {url}: {problem}")
    for path in sorted(site.rglob("*.css")):
        for url in re.findall(r"url\(\s*['\"]?((?:https?:)?//[^)'\"]+)", path.read_text("utf-8")):
            found.append(f"{path.relative_to(site).as_posix()} fetches {url}")
    return found


def _read(path: Path) -> Found:
    found = Found()
    found.feed(path.read_text(encoding="utf-8"))
    return found


def _problem(site: Path, path: Path, url: str, pages: dict[Path, Found]) -> str:
    """What is wrong with a link on a page; nothing is asked of other hosts."""
    parts = urlsplit(url)
    if parts.scheme in {"data", "mailto", "javascript"}:
        return ""
    if parts.scheme or parts.netloc:
        well = parts.scheme == "https" and re.fullmatch(r"[\w-]+(\.[\w-]+)+", parts.netloc)
        return "" if well and " " not in url else "no well-formed address"
    start = site if parts.path.startswith("/") else path.parent
    there = (start / unquote(parts.path).lstrip("/")).resolve() if parts.path else path
    if there.is_dir():
        there /= "index.html"
    if not there.is_file():
        return "no such file"
    anchor = unquote(parts.fragment.partition(":~:")[0])
    if anchor and there in pages and anchor not in pages[there].anchors:
        return f"no anchor {anchor}"
    return ""
