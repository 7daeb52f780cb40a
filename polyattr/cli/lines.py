"""Texts of others as they can be printed: in one line, and without a terminal's commands."""

from __future__ import annotations

from polyattr.errors import PolyattrError

_LONGEST = 700


def plain(value: object, most: int = _LONGEST) -> str:
    """Returns a text in one line, what cannot be printed replaced, and cut to `most` characters.

    Names of classes, files and columns come from anywhere: an escape code in one would command the
    terminal.
    """
    joined = " ".join(str(value).split())
    shown = "".join(character if character.isprintable() else "?" for character in joined)
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."


def told(error: BaseException) -> str:
    """Returns what an error says, with its notes; other libraries' with the name of its class."""
    notes = [str(note) for note in getattr(error, "__notes__", ())]
    text = " ".join([str(error), *notes])
    if isinstance(error, PolyattrError):
        return plain(text)
    return plain(f"{type(error).__name__}: {text}" if text.strip() else type(error).__name__)
