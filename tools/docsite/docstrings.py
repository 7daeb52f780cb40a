"""Docstrings of Google's style as Markdown."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Container

SECTIONS = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example")
CALLED = {"Args": "Arguments"}
_HEADER = re.compile(rf"^({'|'.join(SECTIONS)}):$\n?", re.MULTILINE)
_ENTRY = re.compile(r"^(\**\w[\w.]*): ", re.MULTILINE)
_DISPLAYED = re.compile(r"^\.\. math::(.*(?:\n(?: .*)?)*)$", re.MULTILINE)
_CODE = re.compile(r"(```.+?\n```|``.+?``|`[^`]+`|\$`.+?`\$)", re.DOTALL)


def to_markdown(text: str, leave_out: Container[str] = ()) -> str:
    """A docstring as Markdown.

    Args:
        text: The docstring.
        leave_out: Arguments that are described elsewhere.

    Returns:
        Its paragraphs, then its sections: names and errors as lists, the example as code.
    """
    body, *parts = _HEADER.split(inspect.cleandoc(text))
    made = [_prose(body)]
    for name, indented in zip(parts[::2], parts[1::2], strict=True):
        section = inspect.cleandoc("\n" + indented)
        shown = _section(name, section, leave_out)
        made += [f"**{CALLED.get(name, name)}**", shown] if shown else []
    return "\n\n".join(part for part in made if part)


def first_sentence(text: str | None) -> str:
    """What a docstring says first, on one line."""
    first = inspect.cleandoc(text or "").split("\n\n")[0]
    return re.split(r"(?<=[.?]) (?=[A-Z`])", " ".join(_prose(first).split()))[0]


def _section(name: str, text: str, leave_out: Container[str]) -> str:
    if name == "Example" and not text.lstrip().startswith("```"):
        return f"```pycon\n{text.rstrip()}\n```"
    entries = _ENTRY.split(text)
    if name in {"Returns", "Yields"} or len(entries) < 3:
        return _prose(text)
    pairs = zip(entries[1::2], entries[2::2], strict=True)
    shown = [(key, " ".join(_prose(said).split())) for key, said in pairs if key not in leave_out]
    return "\n".join(f"- `{key}`: {said}" for key, said in shown)


def _prose(text: str) -> str:
    """Paragraphs: equations as blocks, roles as code, and nothing that Markdown would read."""
    text = re.sub(r":math:`([^`]+)`", r"$`\1`$", text)
    parts = _DISPLAYED.split(text)
    made = []
    for number, part in enumerate(parts):
        if number % 2:
            made.append(f"```math\n{textwrap.dedent(part.strip())}\n```")
        else:
            made.append("".join(map(_escaped, _CODE.split(part))).strip())
    return "\n\n".join(part for part in made if part)


def _escaped(part: str) -> str:
    if _CODE.fullmatch(part):
        return part
    part = re.sub(r"(?<!\w)([*_])(?=\w)|(?<=\w)([*])", r"\\\1\2", part)
    return part.replace("<", "&lt;").replace("](", "]&#40;")
