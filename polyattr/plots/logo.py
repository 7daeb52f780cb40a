"""Sequences of letters, each as tall as what it adds to the score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.plots.drawing.colours import INFINITE, NAN, colour_map
from polyattr.plots.drawing.doubt import ERRORS, combined, unsure
from polyattr.plots.drawing.figure import FAINT, INK, SMALL, axes_for, head, open_frame
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

# Those of Okabe and Ito, which the colour-blind tell apart; letters have their shapes as well.
_PALETTE = ("#009e73", "#0072b2", "#b8860b", "#d55e00", "#cc79a7", "#56b4e9", "#555555", "#7f3c8d")
_PALE = 0.35


@dataclass(frozen=True)
class _Letters:
    """What stands where: (K,) each; places, letters, heights, errors, whether it cannot be told."""

    place: Array
    letter: Array
    height: Array
    errors: Array | None
    pale: Array


def logo(
    attribution: Any, inputs: Any = None, *, ax: Axes | None = None, alphabet: str = "ACGT",
    cmap: Any = None, sample: Any = 0, which: Any = None, start: int = 0, stop: int | None = None,
    standard_error: Any = None, signed: bool | None = None, title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws a one-hot sequence as letters as tall as their values, downwards if these are negative.

    With `inputs` one letter stands at each place, the one that was there, as tall as the values of
    all letters of that place together. Without, every letter has its own value. Whiskers reach two
    standard errors; letters that are shorter than that are pale. The arguments not listed are those
    of `image`, whose errors are raised too.

    Args:
        attribution: An `Attribution`, or the values of one sequence (L, A) or (A, L) for an
            alphabet of A letters.
        inputs: What was explained, (N, L, A) or one sequence; one-hot.
        alphabet: The A letters, in the order of their axis.
        cmap: A colormap or its name, from which letters take their colours in turn.
        start: The first place that is drawn.
        stop: The place before which to stop; None for the end.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> len(plots.logo(np.array([[2.0, 0, 0, 0], [0, 0, 0, -1.0]])).patches)
        2
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, inputs, sample=sample, which=which, **given)
    axis, length = _letters_axis(one, _check_alphabet(alphabet))
    ends = _places(start, stop, length)
    found = _stand(one, axis, *ends)
    axes = axes_for(ax, float(np.clip(0.9 + 0.17 * (ends[1] - ends[0]), 3.2, 15.0)), 2.0)
    _draw(axes, found, alphabet, cmap, ends)
    head(axes, one.lines, title)
    return axes


def _check_alphabet(alphabet: Any) -> str:
    if not isinstance(alphabet, str | list | tuple) or not all(
        isinstance(a, str) for a in alphabet
    ):
        raise InputTypeError(f"alphabet is {alphabet!r}; expected letters, such as 'ACGT'")
    if not alphabet or any(len(letter) != 1 or letter.isspace() for letter in alphabet):
        raise InputError(
            f"alphabet is {alphabet!r}; expected one letter for each entry of its axis"
        )
    return "".join(alphabet)


def _letters_axis(one: Sample, alphabet: str) -> tuple[int, int]:
    """Returns the axis of letters, and how many places the other one has."""
    shape, size = one.values.shape, len(alphabet)
    fitting = [i for i in (1, 0) if one.values.ndim == 2 and shape[i] == size]
    if not fitting or not one.values.size:
        raise InputError(
            f"attribution has shape {shape}; expected one sequence (L, {size}) or ({size}, L) for "
            f"the {size} letters of alphabet={alphabet!r}"
        )
    return fitting[0], shape[1 - fitting[0]]


def _places(start: Any, stop: Any, length: int) -> tuple[int, int]:
    first = check_count("start", start, 0)
    last = length if stop is None else check_count("stop", stop, 1)
    if not first < min(last, length):
        raise InputError(
            f"start is {start} and stop {stop}; expected places of a sequence of length {length}"
        )
    return first, min(last, length)


def _stand(one: Sample, axis: int, first: int, last: int) -> _Letters:
    """Finds the letters of places `first` to `last` and their heights."""
    values = np.moveaxis(one.values, axis, 1)[first:last]
    errors = None if one.errors is None else np.moveaxis(one.errors, axis, 1)[first:last]
    if one.inputs is None:
        place, letter = np.nonzero(values != 0)
        height = values[place, letter]
        deviation = None if errors is None else errors[place, letter]
    else:
        letter = _hot(one, axis)[first:last]
        place = np.flatnonzero(letter >= 0)
        letter = letter[place]
        with np.errstate(invalid="ignore"):
            height = values[place].sum(axis=1)
        deviation = None if errors is None else combined(errors[place], 1, alike=one.alike)
    return _Letters(place + first, letter, height, deviation, unsure(height, deviation))


def _hot(one: Sample, axis: int) -> Array:
    """Which letter stands at each place (L,); -1 where none does, as in padding."""
    inputs = one.inputs
    if inputs is None or inputs.shape != one.values.shape:
        raise InputError(
            f"inputs of shape {None if inputs is None else inputs.shape} and attribution of shape "
            f"{one.values.shape} differ; expected the sequence that was explained"
        )
    rows = np.moveaxis(inputs, axis, 1)
    hot = np.isclose(rows, 1.0, atol=1e-3)
    one_hot = (hot.sum(axis=1) <= 1) & np.isclose(np.where(hot, 0.0, rows), 0.0, atol=1e-3).all(1)
    if not one_hot.all():
        place = int(np.argmin(one_hot))
        raise InputError(
            f"inputs are not one-hot: place {place} holds {rows[place]}; expected a single 1 at "
            f"each place, or no inputs: every letter then has its own value"
        )
    return np.where(hot.any(axis=1), hot.argmax(axis=1), -1)


def _draw(axes: Axes, found: _Letters, alphabet: str, cmap: Any, ends: tuple[int, int]) -> None:
    finite = np.isfinite(found.height)
    height = np.where(finite, found.height, 0.0)
    bottom = _stacked(found.place, height)
    for number, colour in enumerate(_colours(alphabet, cmap)):
        for alpha, of_these in ((1.0, ~found.pale), (_PALE, found.pale)):
            here = (found.letter == number) & of_these & (height != 0)
            if here.any():
                places = found.place[here], bottom[here], height[here]
                _letters(axes, alphabet[number], places, colour, alpha)
    axes.axhline(0, color=INK, linewidth=0.7)
    reach = np.zeros(len(height))
    if found.errors is not None:
        reach = np.where(finite, ERRORS * np.nan_to_num(found.errors), 0.0)
        top = bottom + height
        axes.vlines(found.place, top - reach, top + reach, color=INK, linewidth=0.6)
    _mark(axes, found)
    _limits(axes, bottom, height, reach)
    axes.set_xlim(ends[0] - 0.6, ends[1] - 0.4)
    open_frame(axes, "left", "bottom")
    axes.tick_params(axis="y", labelsize=SMALL)
    axes.locator_params(axis="y", nbins=4)
    axes.locator_params(axis="x", integer=True)
    if not height.any() and finite.all():
        axes.text(0.5, 0.6, "all zero", transform=axes.transAxes, color=FAINT, ha="center")


def _mark(axes: Axes, found: _Letters) -> None:
    """Paints the places whose height is not finite."""
    lost = ~np.isfinite(found.height)
    for place, value in zip(found.place[lost], found.height[lost], strict=True):
        colour = NAN if np.isnan(value) else INFINITE
        axes.axvspan(place - 0.5, place + 0.5, color=colour, linewidth=0, alpha=0.9)
    if lost.any():
        axes.set_xlabel(f"not finite: {lost.sum()}", fontsize=SMALL, color=FAINT)


def _limits(axes: Axes, bottom: Array, height: Array, reach: Array) -> None:
    ends = np.concatenate([bottom, bottom + height - reach, bottom + height + reach, [0.0]])
    low, high = float(ends.min()), float(ends.max())
    room = 0.05 * ((high - low) or 1.0)
    axes.set_ylim(low - room, high + room)


def _stacked(place: Array, height: Array) -> Array:
    """Where letters begin: at each place the largest stands outermost, each sign by itself."""
    bottom = np.zeros(len(height))
    order = np.lexsort((np.abs(height), place))
    above: dict[tuple[int, bool], float] = {}
    for i in order:
        side = int(place[i]), bool(height[i] < 0)
        bottom[i] = above.get(side, 0.0)
        above[side] = bottom[i] + height[i]
    return bottom


def _letters(
    axes: Axes, letter: str, at: tuple[Array, Array, Array], colour: Any, alpha: float
) -> None:
    """Draws one letter many times, as one outline, `at` places, bottoms and heights (K,)."""
    places, bottom, height = at
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    glyph = TextPath((0, 0), letter, size=1, prop=FontProperties(weight="bold"))
    box = glyph.get_extents()
    unit = (glyph.vertices - [box.x0, box.y0]) / [box.width or 1.0, box.height or 1.0]
    wide = 0.9 if box.width > 0.3 * box.height else 0.35  # an I is not as wide as an M
    x = places[:, None] + wide * (unit[:, 0] - 0.5)
    y = bottom[:, None] + height[:, None] * unit[:, 1]
    vertices = np.stack([x, y], axis=-1).reshape(-1, 2)
    codes = None if glyph.codes is None else np.tile(glyph.codes, len(places))
    axes.add_patch(
        PathPatch(Path(vertices, codes), facecolor=colour, linewidth=0, alpha=alpha, zorder=2)
    )


def _colours(alphabet: str, cmap: Any) -> list[Any]:
    if cmap is None:
        return [_PALETTE[i % len(_PALETTE)] for i in range(len(alphabet))]
    colours = colour_map(cmap, signed=True)
    return [colours(i / max(1, len(alphabet) - 1)) for i in range(len(alphabet))]
