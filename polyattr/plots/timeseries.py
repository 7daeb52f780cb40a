"""Series: a panel per channel, each moment coloured by what it adds to the score."""

from __future__ import annotations

import numbers
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.doubt import ERRORS, unsure
from polyattr.plots.drawing.figure import FAINT, FRAME, INK, SMALL, head, new_figure, open_frame
from polyattr.plots.drawing.marks import key, say_empty
from polyattr.plots.drawing.painted import painted
from polyattr.plots.drawing.scale import PERCENTILE, Scale, check_percentile, scale_of
from polyattr.plots.reading.explained import numbers_of
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.plots.reading.words import literal, shortened, texts_for
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure, SubFigure

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Series:
    """The channels of one sample, ready to be drawn.

    Attributes:
        values: (C, T).
        errors: (C, T) standard errors, or None.
        inputs: (C, T) the series, or None.
        time: (T,) when.
        names: Of the channels.
        left: Channels that are not drawn.
        scale: Of the values of all channels that are drawn.
        colours: Of the values.
        lines: What the result says of the sample.
    """

    values: Array
    errors: Array | None
    inputs: Array | None
    time: Array
    names: tuple[str, ...]
    left: int
    scale: Scale
    colours: Colormap
    lines: tuple[str, ...]


def timeseries(
    attribution: Any, inputs: Any = None, *, cmap: Any = None, sample: Any = 0, which: Any = None,
    time: Any = None, names: Any = None, channel_axis: int | None = None, max_channels: int = 8,
    percentile: float = PERCENTILE, standard_error: Any = None, signed: bool | None = None,
    title: str | None = None,
) -> Figure:  # fmt: skip
    """Draws the channels of one series, each on the colours of its attributions.

    All channels have one scale; moments within two standard errors of zero fade to grey. Without
    `inputs` the attributions themselves are drawn as a line, with two standard errors around it.
    The arguments not listed are those of `image`, whose errors are raised too.

    Args:
        attribution: An `Attribution`, or the values of one series (T,), (T, C) or (C, T).
        time: (T,) when each moment was, ascending; None for its number.
        names: One name per channel; None for those of the result, or numbers.
        channel_axis: Of one series, where its channels are; None takes the shorter axis.
        max_channels: Most channels that are drawn: those with the largest magnitudes.

    Returns:
        A figure that pyplot does not know; a notebook shows it, `savefig` writes it.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> wave = np.sin(np.linspace(0, 6, 50))
        >>> figure = plots.timeseries(wave * np.linspace(0, 1, 50), wave)
        >>> len(figure.axes)
        2
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, inputs, sample=sample, which=which, **given)
    most = check_count("max_channels", max_channels, 1)
    found = read_series(one, cmap, time, names, channel_axis, most, percentile)
    figure = new_figure(7.2, 0.9 + 1.05 * len(found.values))
    draw_series(figure, found, title)
    return figure


def read_series(
    one: Sample, cmap: Any = None, time: Any = None, names: Any = None,
    channel_axis: int | None = None, max_channels: int = 8, percentile: float = PERCENTILE,
) -> Series:  # fmt: skip
    """Makes channels (C, T) of a sample; the arguments are those of `timeseries`.

    Raises:
        InputError: Shapes that cannot be drawn or do not fit.
        InputTypeError: Arguments of other types.
        MissingExtraError: matplotlib is not installed.
    """
    axis = _channels(one, channel_axis)
    values = _rows(one.values, axis)
    if one.inputs is not None and one.inputs.shape != one.values.shape:
        raise InputError(
            f"inputs of shape {one.inputs.shape} and attribution of shape {one.values.shape} "
            f"differ; expected the series that was explained"
        )
    size = np.abs(np.where(np.isfinite(values), values, 0.0)).mean(axis=1)
    kept = np.sort(np.argsort(-size, kind="stable")[:max_channels])
    errors, inputs = [None if a is None else _rows(a, axis)[kept] for a in (one.errors, one.inputs)]
    called = _called(names, one.names.channels, len(values))
    return Series(
        values[kept],
        errors,
        inputs,
        _time(time, values.shape[1]),
        tuple(called[i] for i in kept),
        len(values) - len(kept),
        scale_of(values[kept], signed=one.signed, percentile=check_percentile(percentile)),
        colour_map(cmap, signed=one.signed),
        one.lines,
    )


def _called(names: Any, known: tuple[str, ...] | None, count: int) -> tuple[str, ...]:
    found = texts_for("names", names, count, "channel") or known
    if found is not None and len(found) == count:
        return found
    return ("",) if count == 1 else tuple(f"channel {i}" for i in range(count))


def draw_series(figure: Figure | SubFigure, found: Series, title: str | None) -> None:
    """Draws all channels below each other, with one scale, and a title over the first."""
    panels = figure.subplots(len(found.values), 1, sharex=True, squeeze=False)[:, 0]
    for i, axes in enumerate(panels):
        draw = _curve if found.inputs is None else _coloured
        draw(axes, found, i)
        axes.set_ylabel(
            literal(shortened(found.names[i], 22)), fontsize=SMALL, color=INK, rotation=0,
            ha="right", va="center",
        )  # fmt: skip
        open_frame(axes, "bottom", "left")
        axes.tick_params(axis="y", labelsize=SMALL - 0.5)
        axes.locator_params(axis="y", nbins=3)
        axes.tick_params(labelbottom=axes is panels[-1])
    panels[-1].set_xlim(*_edges(found.time)[[0, -1]])
    head(panels[0], found.lines, title)
    say_empty(panels[0], found.scale)
    words = ["lines: attributions"] if found.inputs is None else []
    if found.left:
        words.append(f"{found.left} channels with smaller attributions are not drawn")
    if words:
        panels[-1].set_xlabel("; ".join(words), fontsize=SMALL, color=FAINT)
    if found.inputs is not None:
        _scale_bar(figure, list(panels), found)


def _coloured(axes: Axes, found: Series, i: int) -> None:
    """Colours the panel behind a channel."""
    from matplotlib.patheffects import withStroke

    inputs = found.inputs
    series = np.zeros(len(found.time)) if inputs is None else inputs[i]
    errors = None if found.errors is None else found.errors[i]
    finite = series[np.isfinite(series)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    room = 0.08 * ((high - low) or 1.0)
    behind = painted(found.values[i], errors, found.scale, found.colours)
    axes.pcolormesh(
        _edges(found.time), [low - room, high + room], behind[None], shading="flat", zorder=0,
        rasterized=True,
    )  # fmt: skip
    outline = [withStroke(linewidth=2.6, foreground="white", alpha=0.85)]
    axes.plot(found.time, series, color=INK, linewidth=0.9, path_effects=outline)
    axes.set_ylim(low - room, high + room)


def _curve(axes: Axes, found: Series, i: int) -> None:
    """Draws the attributions of a channel as a line, with two standard errors around it."""
    values = np.where(np.isfinite(found.values[i]), found.values[i], np.nan)
    axes.axhline(0, color=FRAME, linewidth=0.7)
    axes.plot(found.time, values, color=INK, linewidth=0.9)
    if found.errors is not None:
        reach = ERRORS * found.errors[i]
        axes.fill_between(found.time, values - reach, values + reach, color="#bcbcbc", linewidth=0)


def _scale_bar(figure: Figure | SubFigure, panels: list[Axes], found: Series) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = found.scale
    shown = ScalarMappable(Normalize(scale.low, scale.high), found.colours)
    extend = ("min" if not scale.above else "both") if scale.below else "max"
    bar = figure.colorbar(
        shown, ax=panels, ticks=scale.ticks, format="%.2g", pad=0.015, fraction=0.03,
        extend=extend if scale.below or scale.above else "neither",
    )  # fmt: skip
    bar.outline.set(edgecolor=FRAME, linewidth=0.6)
    bar.ax.set_box_aspect(None)  # as tall as all panels
    bar.ax.tick_params(labelsize=SMALL - 0.5, color=FRAME, length=2, labelcolor=INK)
    faded = int(unsure(found.values, found.errors).sum())
    axes = panels[-1]
    key(axes, found.colours, scale, faded, found.values.size, columns=6)
    legend = axes.get_legend()
    if legend is not None:
        legend.set_bbox_to_anchor((0.0, -0.32), transform=axes.transAxes)


def _channels(one: Sample, axis: Any) -> int:
    """The axis of channels; 0 where there is one channel, put before the moments."""
    shape = one.values.shape
    if one.values.ndim not in {1, 2} or not one.values.size:
        raise InputError(
            f"attribution has shape {shape}; expected one series (T,), (T, C) or (C, T), such as "
            f"attribution[0]"
        )
    if axis is not None:
        if not isinstance(axis, numbers.Integral) or isinstance(axis, bool):
            raise InputTypeError(f"channel_axis is {axis!r}; expected 0 or 1, or None to find it")
        if not -one.values.ndim <= int(axis) < one.values.ndim:
            raise InputError(f"channel_axis is {axis} of a series of shape {shape}")
        return int(axis) % one.values.ndim
    if one.values.ndim == 1:
        return 0
    known = one.names.channels
    fitting = [i for i in (0, 1) if known is not None and len(known) == shape[i]]
    return fitting[0] if len(fitting) == 1 else int(shape[1] <= shape[0])


def _rows(values: Array, axis: int) -> Array:
    return values[None] if values.ndim == 1 else np.moveaxis(values, axis, 0)


def _time(time: Any, count: int) -> Array:
    if time is None:
        return np.arange(count, dtype=np.float64)
    found = numbers_of("time", time)
    if found.shape != (count,) or not np.isfinite(found).all() or (np.diff(found) <= 0).any():
        raise InputError(
            f"time has shape {found.shape}; expected {count} finite, ascending numbers, one for "
            f"each moment"
        )
    return found


def _edges(time: Array) -> Array:
    """Where moments begin and end: half-way between them."""
    if len(time) == 1:
        return np.array([time[0] - 0.5, time[0] + 0.5])
    middle = (time[1:] + time[:-1]) / 2
    return np.concatenate([[1.5 * time[0] - time[1] / 2], middle, [1.5 * time[-1] - time[-2] / 2]])
