"""Words on their colours, as text of the page."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.painted import painted
from polyattr.plots.drawing.scale import scale_of
from polyattr.plots.reading.samples import Sample
from polyattr.plots.reading.tokens import Words, glued, read_words
from polyattr.reports.pictures.shown import Legend, legend_of
from polyattr.reports.words import number, signed_number

_NAMED = 3
"""Words that are named beside the text."""
_LIGHT = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Word:
    """A word.

    Attributes:
        text: Itself, as a reader writes it.
        gap: What stands before it: a space, or nothing where it goes on.
        colour: Behind it, as ``#rrggbb``.
        dark: Whether that is dark, so that letters have to be white.
        said: Its value, with its standard error.
    """

    text: str
    gap: str
    colour: str
    dark: bool
    said: str


def words_of(one: Sample) -> tuple[tuple[Word, ...], Legend, str]:
    """Returns the words of a sample, their legend, and which are the strongest."""
    from matplotlib.colors import to_hex

    words = read_words(one, None)
    scale, colours = scale_of(words.values, signed=one.signed), colour_map(signed=one.signed)
    behind = painted(words.values, words.errors, scale, colours)
    found = []
    for k, text in enumerate(words.texts):
        plain, goes_on = glued(text, k)
        dark = float(behind[k, :3] @ _LIGHT) < 0.55
        gap = "" if goes_on or not k else " "
        found.append(Word(plain, gap, to_hex(behind[k]), dark, _said(words, k)))
    faded = None if words.errors is None else int(unsure(words.values, words.errors).sum())
    return (
        tuple(found),
        legend_of(scale, colours, faded, len(words.texts)),
        _strongest(words, one.signed),
    )


def _said(words: Words, k: int) -> str:
    value = number(float(words.values[k]))
    return value if words.errors is None else f"{value} \u00b1 {words.errors[k]:.2g}"


def _strongest(words: Words, signed: bool) -> str:
    size = np.abs(np.where(np.isfinite(words.values), words.values, 0.0))
    order = [int(k) for k in np.argsort(-size, kind="stable")[:_NAMED] if size[k]]
    if not order:
        return "No word stands out."
    say = signed_number if signed else number
    named = [f"{glued(words.texts[k], k)[0]!r} {say(float(words.values[k]))}" for k in order]
    return f"Strongest: {', '.join(named)}."
