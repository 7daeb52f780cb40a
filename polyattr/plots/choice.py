"""Which picture fits a result, and a page of them: one for each sample."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, nearest
from polyattr.plots.drawing.bars import LONGEST
from polyattr.plots.drawing.figure import new_figure
from polyattr.plots.drawing.pictures import channels_last, draw_input, strip_input
from polyattr.plots.image import image
from polyattr.plots.interactions import interactions
from polyattr.plots.logo import logo
from polyattr.plots.reading.foreign import our_kind, our_option
from polyattr.plots.reading.samples import Samples, read_samples
from polyattr.plots.reading.tokens import read_words
from polyattr.plots.reading.words import texts_for
from polyattr.plots.summary import draw_summary, summary
from polyattr.plots.tabular import tabular
from polyattr.plots.text import text
from polyattr.plots.timeseries import draw_series, read_series, timeseries
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from polyattr.results.attribution import Attribution

Array = np.ndarray[Any, Any]

_KINDS: dict[str, tuple[Callable[..., Any], int]] = {
    "image": (image, 16),
    "tabular": (tabular, 16),
    "text": (text, 16),
    "timeseries": (timeseries, 4),
    "logo": (logo, 8),
    "interactions": (interactions, 4),
    "summary": (summary, 2**31),
}
"""What draws each kind, and the most samples on a page."""
_OWN = ("attribution", "inputs", "ax", "sample", "title")
"""Arguments of these that are not the user's to give here."""
_LETTERS, _SERIES = 4, 8
"""Bases of a sequence; most channels of what is taken for a series without its names."""


def plot(
    attribution: Attribution, inputs: Any = None, titles: Any = None, *, kind: str | None = None,
    **options: Any,
) -> Figure:  # fmt: skip
    """Draws a result, each sample on a scale of its own; `Attribution.plot` is this function.

    Args:
        attribution: The result.
        inputs: What was explained, (N, ...); None for what the result kept. Pictures may have their
            channels on the other end than the maps, and a single one no axis of samples.
        titles: One text per sample; None for target, score, gap and error.
        kind: "image", "tabular", "text", "timeseries", "logo", "interactions" or "summary"; None
            takes text where words are known, letters of one-hot bases, series for a few named or
            long channels, pictures for other maps, bars for features, and the summary of more than
            16 samples of these.
        **options: Further arguments of the function of that name in `polyattr.plots`.

    Returns:
        A figure that pyplot does not know; a notebook shows it, `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: The values cannot be drawn, or `inputs` or `titles` do not match them.
        InputTypeError: `inputs`, `titles` or options are not what can be drawn.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import plots
        >>> result = polyattr.GradientInput(lambda x: (x**2).sum(1)).attribute(torch.ones(4, 5))
        >>> len(plots.plot(result).axes)
        4
    """
    every = _read(attribution, inputs, options)
    chosen = _chosen(kind, every)
    named = _named(chosen, options)
    texts = texts_for("titles", titles, len(every), "sample")
    if chosen == "summary" or every.values.ndim == 1:
        return _whole(chosen, every, named, texts)
    return {"timeseries": _series, "text": _lines}.get(chosen, _grid)(chosen, every, named, texts)


def _read(attribution: Any, inputs: Any, options: dict[str, Any]) -> Samples:
    own = {name: options.pop(name, None) for name in ("which", "standard_error", "signed")}
    every = read_samples(attribution, inputs, strict=True, **own)
    if every.values.size == 0 or not 1 <= every.values.ndim <= 4:
        raise InputError(
            f"values of shape {every.values.shape} cannot be drawn; expected (N, features), "
            f"(N, H, W), (N, H, W, C) or (N, C, H, W), with N at least 1"
        )
    return every


def _chosen(kind: Any, every: Samples) -> str:
    if kind is not None and (not isinstance(kind, str) or kind not in _KINDS):
        said = our_kind(kind) or nearest(kind, _KINDS)
        raise InputError(f"kind is {kind!r}.{said} Expected one of {', '.join(_KINDS)}")
    return fitting(every) if kind is None else kind


def fitting(every: Samples) -> str:
    """Returns the kind that fits the shape and the names."""
    shape, names = every.values.shape[1:], every.names
    if names.tokens is not None and 1 <= len(shape) <= 2:
        return "text"
    if len(shape) < 2:
        return "summary" if len(shape) == 1 and len(every) > _KINDS["tabular"][1] else "tabular"
    if len(shape) == 3:
        return "image"
    paired = every.result is not None and every.result.method.startswith("SmoothHess(")
    if paired and shape[0] == shape[1]:
        return "interactions"
    if _one_hot(every.inputs, shape):
        return "logo"
    few, many = min(shape), max(shape)
    named = names.channels is not None and len(names.channels) in shape
    return "timeseries" if named or (few <= _SERIES and many >= max(16, 4 * few)) else "image"


def _one_hot(inputs: Array | None, shape: tuple[int, ...]) -> bool:
    if inputs is None or _LETTERS not in shape or inputs.shape[1:] != shape:
        return False
    axis = 2 if shape[1] == _LETTERS else 1
    return bool(np.isin(inputs, (0.0, 1.0)).all() and (inputs.sum(axis=axis) <= 1).all())


def _named(kind: str, options: dict[str, Any]) -> dict[str, Any]:
    known = [name for name in inspect.signature(_KINDS[kind][0]).parameters if name not in _OWN]
    for name in options:
        if name not in known:
            said = our_option(name) or f".{nearest(name, known)}"
            raise InputTypeError(
                f"plot has no option {name!r} for kind={kind!r}{said} Its options: "
                f"{', '.join(known)}"
            )
    return options


def _whole(
    kind: str, every: Samples, options: dict[str, Any], titles: tuple[str, ...] | None
) -> Figure:
    """One picture of all samples."""
    rows = every.names.rows
    if every.values.ndim == 1:  # one number for each sample: samples are what there is to rank
        if kind not in {"tabular", "summary"}:
            raise InputError(f"kind is {kind!r}, and values have one number per sample")
        named: dict[str, Any] = {"names": titles or rows}
        named |= options if kind == "tabular" else {}
        options = {"title": "", "max_features": 16, **named}
        drawn = tabular(every.values, standard_error=every.errors, signed=every.signed, **options)
    else:
        options = {"names": every.names.features} | options
        drawn = draw_summary(every, **options)
    figure: Figure = drawn.figure  # type: ignore[assignment]  # of no other figure's part
    return figure


def _shown(kind: str, every: Samples) -> int:
    return min(len(every), _KINDS[kind][1])


def _say(figure: Figure, kind: str, every: Samples) -> None:
    if len(every) > _shown(kind, every):
        words = f"the first {_shown(kind, every)} of {len(every)} samples"
        figure.suptitle(words, fontsize=9, color="#707070")


def _draw(
    kind: str,
    every: Samples,
    i: int,
    axes: Axes,
    options: dict[str, Any],
    title: str | None,
) -> None:
    """Draws one sample on axes."""
    one = every.one(i)
    given: dict[str, Any] = {"standard_error": one.errors, "signed": one.signed}
    given |= {"title": "\n".join(one.lines) if title is None else title}
    if kind in {"image", "tabular", "logo"}:
        given["inputs"] = one.inputs
    if kind in {"tabular", "interactions"}:
        named = one.names.features
        given["names"] = named if named and len(named) == one.values.shape[-1] else None
    if kind == "text":
        given["tokens"] = None if one.names.tokens is None else one.names.tokens[one.number]
    _KINDS[kind][0](one.values, ax=axes, **(given | options))


def _grid(
    kind: str, every: Samples, options: dict[str, Any], titles: tuple[str, ...] | None
) -> Figure:
    """A panel for each sample, or two where the input stands beside its map."""
    n = _shown(kind, every)
    shown = every.inputs is not None and kind == "image"
    paired = shown and options.get("mode", "map") in {"map", "positive", "negative"}
    each = 2 if paired else 1
    columns, rows, width, height = _sizes(kind, n, each, every, options)
    figure = new_figure(max(width * columns * each, 3.4), height * rows + 0.35)
    panels = figure.subplots(rows, columns * each, squeeze=False).ravel()
    for spare in panels[n * each :]:
        spare.set_axis_off()
    for i in range(n):
        title = None if titles is None else titles[i]
        if paired and every.inputs is not None:
            beside = panels[i * each]
            axis = options.get("channel_axis")
            draw_input(beside, channels_last("inputs", every.inputs[i], axis, every.values[i]))
            strip_input(beside)
        _draw(kind, every, i, panels[i * each + each - 1], options, title)
    _say(figure, kind, every)
    return figure


def _sizes(
    kind: str, n: int, each: int, every: Samples, options: dict[str, Any]
) -> tuple[int, int, float, float]:
    """Columns, rows, and the inches of a panel."""
    features = math.prod(every.values.shape[1:])
    bars = min(int(check_count("max_features", options.get("max_features", 12), 1)), features) + 1
    size = {
        "image": (2.6, 2.75),
        "tabular": (3.9 + 0.04 * max(0, _longest(every) - 16), 0.9 + 0.22 * max(bars, 3)),
        "logo": (float(np.clip(0.9 + 0.17 * max(every.values.shape[1:]), 3.2, 15.0)), 1.7),
        "interactions": (1.8 + 0.3 * min(every.values.shape[-1], 20),) * 2,
    }
    width, height = size[kind]
    most = max(1, int(15.5 / (width * each)))
    columns = 1 if kind == "logo" else min(most, math.ceil(math.sqrt(n / each)))
    if every.targets > 1 and kind != "logo":  # a row for each target, where they fit
        columns = min(most, len(every) // every.targets)
    return columns, math.ceil(n / columns), width, height


def _lines(
    kind: str, every: Samples, options: dict[str, Any], titles: tuple[str, ...] | None
) -> Figure:
    """Texts below each other."""
    n = _shown(kind, every)
    heights = [0.74 + 0.28 * (1 + _letters(every, i, options) // 54) for i in range(n)]
    figure = new_figure(6.8, sum(heights) + 0.2)
    panels = figure.subplots(n, 1, squeeze=False, height_ratios=heights).ravel()
    for i, axes in enumerate(panels):
        _draw(kind, every, i, axes, options, None if titles is None else titles[i])
    _say(figure, kind, every)
    return figure


def _longest(every: Samples) -> int:
    """Letters of the longest name that stands beside bars."""
    return min(LONGEST, max(map(len, every.names.features or ("",))))


def _letters(every: Samples, i: int, options: dict[str, Any]) -> int:
    """How many letters a text has, with room between words."""
    one = every.one(i)
    words = read_words(one, options.get("tokens"), options.get("skip", ()))
    return sum(len(word) + 1 for word in words.texts)


def _series(
    kind: str, every: Samples, options: dict[str, Any], titles: tuple[str, ...] | None
) -> Figure:
    """Series below each other, the channels of each in a part of the figure."""
    n = _shown(kind, every)
    found = [read_series(every.one(i), **options) for i in range(n)]
    heights = [0.9 + 0.95 * len(series.values) for series in found]
    figure = new_figure(7.2, sum(heights) + 0.2)
    parts = figure.subfigures(n, 1, height_ratios=heights, squeeze=False)[:, 0]
    for i, series in enumerate(found):
        draw_series(parts[i], series, None if titles is None else titles[i])
    _say(figure, kind, every)
    return figure
