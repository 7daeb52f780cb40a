"""What is read in a page of Markdown: its code, headings, links, title and first sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_FENCE = re.compile(r"^(?P<mark>`{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=mark) *$", re.M | re.S)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
_LINK = re.compile(r"(?P<shown>\[(?:[^\[\]]|\[[^\[\]]*\])*\])\((?P<target>[^()\s]+)\)")
_HEADING = re.compile(r"^(#{1,6}) +(.+?) *(?:\{#([\w.-]+)\})?$", re.M)
_COMMENT = re.compile(r"<!--.*?-->", re.S)


class Block(NamedTuple):
    """A fenced block: its language and its code."""

    language: str
    code: str


class Heading(NamedTuple):
    """A heading: its level, its text, and the anchor a reader links to."""

    level: int
    text: str
    anchor: str


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = _FENCE.finditer(text)
    return [Block(_language(m["info"]), m["code"]) for m in found]


def _language(info: str) -> str:
    """The language, but of a block that a test of its own runs: that has ``notest`` behind it."""
    language, *more = info.split() or [""]
    return "notest" if "notest" in more else language


def change_blocks(text: str, change: Callable[[Block], str | None]) -> str:
    """Puts what `change` returns in the place of each fenced block; None leaves it."""

    def changed(match: re.Match[str]) -> str:
        made = change(Block(_language(match["info"]), match["code"]))
        return match[0] if made is None else made

    return _FENCE.sub(changed, text)


def outside_blocks(text: str, change: Callable[[str], str]) -> str:
    """Changes all that is not in a fenced block."""
    parts, last = [], 0
    for match in _FENCE.finditer(text):
        parts += [change(text[last : match.start()]), match[0]]
        last = match.end()
    return "".join([*parts, change(text[last:])])


def prose(text: str) -> str:
    """A page without its code and its comments."""
    return _SPAN.sub("", _FENCE.sub("", _COMMENT.sub("", text)))


def change_links(text: str, change: Callable[[str, str], str]) -> str:
    """Replaces the targets of links and images by what ``change(shown, target)`` returns."""

    def changed(match: re.Match[str]) -> str:
        return f"{match['shown']}({change(match['shown'][1:-1], match['target'])})"

    return outside_blocks(text, lambda part: _LINK.sub(changed, part))


def links(text: str) -> Iterator[str]:
    """The targets of links and images in the prose of a page; code in a link's text is read."""
    for match in _LINK.finditer(_FENCE.sub("", _COMMENT.sub("", text))):
        yield match["target"]


def headings(text: str) -> list[Heading]:
    """The headings of a page, with the anchors that GitHub and the site both give them."""
    seen: dict[str, int] = {}
    found = []
    for match in _HEADING.finditer(_FENCE.sub("", text)):
        anchor = match[3] or slug(match[2])
        count = seen.get(anchor, -1) + 1
        seen[anchor] = count
        found.append(Heading(len(match[1]), match[2], f"{anchor}-{count}" if count else anchor))
    return found


def slug(heading: str) -> str:
    """The anchor of a heading: lower case, without punctuation, a dash for each space."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def title(text: str) -> str:
    """The first heading of a page, in plain words."""
    return headings(text)[0].text.replace("`", "")


def summary(text: str) -> str:
    """The first sentence below the title, on one line, in plain words."""
    body = _COMMENT.sub("", _FENCE.sub("", text)).split("\n", 1)[1]
    starts = ("#", "|", "!", ">", "-", "<", "*")
    paragraphs = [p.strip() for p in body.split("\n\n")]
    first = next(p for p in paragraphs if p and (not p.startswith(starts) or p.startswith("**")))
    plain = _LINK.sub(lambda m: m["shown"][1:-1], " ".join(first.split())).replace("**", "")
    return re.split(r"(?<=[.?!:]) (?=[A-Z`])", plain)[0].rstrip(":")
