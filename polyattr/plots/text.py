"""Text whose words are coloured by what they add to the score."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.figure import FAINT, INK, axes_for, head
from polyattr.plots.drawing.marks import key
from polyattr.plots.drawing.painted import painted
from polyattr.plots.drawing.scale import Scale, scale_of
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.plots.reading.tokens import Words, glued, read_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

_WIDTH, _LINE, _LETTERS, _PAD = 6.8, 0.28, 11.0, 0.028
"""Of a new figure, in inches, and the height of a line; of letters, in points; around words."""


def text(
    attribution: Any, tokens: Any = None, *, ax: Axes | None = None, cmap: Any = None,
    sample: Any = 0, which: Any = None, skip: Any = (), standard_error: Any = None,
    signed: bool | None = None, title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws the words of one sample on their colours, in lines as wide as the axes.

    Words within two standard errors of zero fade to grey. Embeddings are summed over their axis.
    The arguments not listed are those of `image`, whose errors are raised too.

    Args:
        attribution: An `Attribution`, or one value per token (L,), or (L, E) of embeddings.
        tokens: L words; None for those of the result.
        skip: Words that are left out, such as ``["[PAD]"]``.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> ax = plots.text(np.array([0.1, 2.0, -1.0]), ["not", "so", "good"])
        >>> [word.get_text() for word in ax.texts]
        ['not', 'so', 'good']
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, sample=sample, which=which, **given)
    return _drawn(_shown(one, tokens, skip, cmap), ax, title)


def text_html(
    attribution: Any, tokens: Any = None, *, cmap: Any = None, sample: Any = 0, which: Any = None,
    skip: Any = (), standard_error: Any = None, signed: bool | None = None,
    title: str | None = None,
) -> Html:  # fmt: skip
    """Writes the words of one sample on their colours as HTML, which a notebook shows.

    The value of a word, and its error, stand in its tooltip. Takes the arguments of `text` and
    raises its errors; matplotlib knows the colours.

    Returns:
        A text that shows itself in a notebook.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> "<b>" in plots.text_html(np.array([2.0]), ["<b>"]).text
        False
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, sample=sample, which=which, **given)
    shown = _shown(one, tokens, skip, cmap)
    said = title if title is not None else "; ".join(shown.lines)
    spans = []
    for i, word in enumerate(shown.words.texts):
        plain, goes_on = glued(word, i)
        spans.append(("" if goes_on or not i else " ") + _span(shown, i, plain))
    above = f'<div style="color:{FAINT};font-size:85%">{html.escape(said)}</div>' if said else ""
    style = f"font-family:sans-serif;line-height:1.9;color:{INK};background:#ffffff;padding:4px"
    return Html(f'<div style="{style}">{above}{"".join(spans)}</div>')


@dataclass(frozen=True)
class Html:
    """A piece of HTML that a notebook shows.

    Attributes:
        text: The piece itself, which `str` returns too.

    Example:
        >>> from polyattr.plots import Html
        >>> str(Html("<b>bold</b>"))
        '<b>bold</b>'
    """

    text: str

    def _repr_html_(self) -> str:
        return self.text

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class _Shown:
    """The words, and the colours (L, 4) behind them."""

    words: Words
    scale: Scale
    colours: Any
    behind: Array
    lines: tuple[str, ...]


def _shown(one: Sample, tokens: Any, skip: Any, cmap: Any) -> _Shown:
    words = read_words(one, tokens, skip)
    scale = scale_of(words.values, signed=one.signed)
    colours = colour_map(cmap, signed=one.signed)
    behind = painted(words.values, words.errors, scale, colours)
    return _Shown(words, scale, colours, behind, one.lines)


def _drawn(shown: _Shown, ax: Axes | None, title: str | None) -> Axes:
    lines = sum(len(word) + 1 for word in shown.words.texts) // 54 + 1
    axes = axes_for(ax, _WIDTH, 0.62 + _LINE * lines)
    axes.set_axis_off()
    own = axes.get_window_extent().width / axes.figure.dpi
    _write(axes, shown, _WIDTH - 0.1 if ax is None else own)
    faded = int(unsure(shown.words.values, shown.words.errors).sum())
    key(axes, shown.colours, shown.scale, faded, len(shown.words.texts), columns=6, ends=True)
    head(axes, shown.lines, title)
    return axes


def _ink(colour: Array) -> str:
    """Black or white, whichever is read more easily on a colour."""
    return "white" if float(colour[:3] @ np.array([0.299, 0.587, 0.114])) < 0.55 else INK


def _write(axes: Axes, shown: _Shown, width: float) -> None:
    """Sets the words one after the other, as wide as they come out, in lines of so many inches.

    In inches from the upper left corner: a layout may still move the sides of the axes.
    """
    x = y = 0.0
    for i, word in enumerate(shown.words.texts):
        plain, goes_on = glued(word, i)
        wide = _inches_wide(plain) + 2 * _PAD
        gap = 0.0 if goes_on or not x else 0.05
        if x and x + gap + wide > width:
            x, y, gap = 0.0, y + _LINE, 0.0
        axes.annotate(
            plain,
            (0, 1),
            xycoords="axes fraction",
            xytext=(72 * (x + gap + _PAD), -72 * (y + _LINE / 2)),
            textcoords="offset points",
            fontsize=_LETTERS,
            va="center_baseline",
            color=_ink(shown.behind[i]),
            parse_math=False,
            bbox={"facecolor": shown.behind[i], "edgecolor": "none", "pad": 72 * _PAD},
        )
        x += gap + wide


def _inches_wide(word: str) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not word.strip():
        return 0.04 * len(word)
    path = TextPath((0, 0), word.replace("$", "S"), size=_LETTERS, prop=FontProperties())
    return float(path.get_extents().x1) / 72


def _span(shown: _Shown, i: int, word: str) -> str:
    from matplotlib.colors import to_hex

    value, errors = shown.words.values[i], shown.words.errors
    tip = f"{value:.4g}" + ("" if errors is None else f" \u00b1 {errors[i]:.2g}")
    colour = shown.behind[i]
    style = f"background:{to_hex(colour)};color:{_ink(colour)};padding:2px 1px;border-radius:2px"
    return f'<span style="{style}" title="{html.escape(tip)}">{html.escape(word)}</span>'
