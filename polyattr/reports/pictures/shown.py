"""Images and legends, as the page takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from polyattr.plots.drawing.marks import key_entries, share
from polyattr.plots.drawing.scale import Scale
from polyattr.reports.pictures.encoded import Encoded
from polyattr.reports.words import number


@dataclass(frozen=True)
class Shown:
    """An image of the page.

    Attributes:
        image: Itself.
        alt: What is to be seen, in words.
        caption: A word below it.
        style: How large it is shown: "map", "photo" or "drawing".
        sharp: Whether its pixels are cells, with edges.
    """

    image: Encoded
    alt: str = ""
    caption: str = ""
    style: str = "map"
    sharp: bool = False

    def described(self, alt: str) -> Shown:
        """Returns the same with words."""
        return replace(self, alt=alt)


@dataclass(frozen=True)
class Legend:
    """What colours mean.

    Attributes:
        low: Where the scale ends below; "" where values have no signs.
        high: Where it ends above.
        marks: Colours, as ``#rrggbb``, with what they mark.
        unsure: Which part of the values cannot be told from zero; "" where no error is known.
        note: What else is to be known.
    """

    low: str
    high: str
    marks: tuple[tuple[str, str], ...] = ()
    unsure: str = ""
    note: str = ""


def legend_of(scale: Scale, colours: Any, faded: int | None, size: int, note: str = "") -> Legend:
    """Says what the colours of values mean.

    Args:
        scale: Of the values.
        colours: Their colormap.
        faded: How many cannot be told from zero; None where no error is known.
        size: How many there are.
        note: What else is to be known.
    """
    from matplotlib.colors import to_hex

    entries = key_entries(colours, scale, 0, size)
    beyond = ("above", "below")
    marks = tuple(
        (to_hex(colour), f"{words} the scale" if words.endswith(beyond) else words)
        for colour, words in entries
    )
    empty = f"{scale.empty[0].upper()}{scale.empty[1:]}." if scale.empty else ""
    return Legend(
        low=number(scale.low) if scale.low < 0 and not scale.empty else "",
        high="" if scale.empty else number(scale.high),
        marks=marks,
        unsure="" if faded is None else share(faded, size),
        note=" ".join(part for part in (empty, note) if part),
    )
