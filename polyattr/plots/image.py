"""Maps of pictures: heat maps, over the input, or masking it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, nearest
from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.doubt import combined, haze, unsure
from polyattr.plots.drawing.figure import axes_for, head, strip
from polyattr.plots.drawing.marks import colour_bar, key, marked, say_empty
from polyattr.plots.drawing.pictures import channels_last, grey, paint, pooled, stretched
from polyattr.plots.drawing.scale import PERCENTILE, Scale, check_percentile, scale_of
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

Array = np.ndarray[Any, Any]


KEPT = 0.2
"""The part of the pixels that a mask leaves."""


@dataclass(frozen=True)
class HeatMap:
    """One map, ready to be drawn.

    Attributes:
        values: (H, W).
        errors: (H, W) standard errors, or None.
        scale: Its colour scale.
        colours: Its colours.
        picture: (H, W, C) the input, or None.
        signed: Whether its values can be negative.
        pool: How many pixels of the picture a value covers, along each side.
        size: Of the picture, in pixels; None for that of the map.
        bar: Whether to draw the scale.
    """

    values: Array
    errors: Array | None
    scale: Scale
    colours: Colormap
    picture: Array | None = None
    signed: bool = True
    pool: int = 1
    size: tuple[int, ...] | None = None
    bar: bool = True

    @property
    def place(self) -> dict[str, Any]:
        """Where `imshow` has to draw the map, so that it lies on the picture."""
        height, width = (self.pool * side - 0.5 for side in self.values.shape)
        return {"extent": (-0.5, width, height, -0.5), "interpolation": "nearest"}

    def trim(self, axes: Axes) -> None:
        """Cuts off what the last blocks have beyond the picture."""
        height, width = self.size or self.values.shape
        axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))


def image(
    attribution: Any, inputs: Any = None, *, ax: Axes | None = None, cmap: Any = None,
    mode: str = "map", sample: Any = 0, which: Any = None, channel_axis: int | None = None,
    pool: int = 1, percentile: float = PERCENTILE, standard_error: Any = None,
    signed: bool | None = None, colorbar: bool = True, title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws the map of one picture; zero is white, and channels are summed.

    What is within two standard errors of zero fades to grey. Outliers, NaN and infinity have
    colours and signs of their own; below stands which, and how many. The arguments not listed are
    those of `read_sample`, whose errors are raised too.

    Args:
        attribution: An `Attribution`, or one map (H, W), (H, W, C) or (C, H, W).
        ax: Axes to draw on; None for those of a new figure, which pyplot does not know.
        cmap: A colormap or its name; None for blue - white - red, or white - plum of magnitudes.
        mode: "map"; "overlay" on the grey input; "masked": the input, where the largest fifth of
            the map is; "positive" or "negative" values alone.
        channel_axis: Of one picture, where its channels are; None finds the end that has 1, 3, 4.
        pool: Sums blocks of `pool` by `pool` pixels, as a photo needs to be more than speckles.
        percentile: Where the scale ends, of the magnitudes, if the largest is half as large again.
        colorbar: Whether to draw the scale.
        title: In place of what a result says of the sample: target, score, gap and error.

    Returns:
        The axes; a notebook shows them.

    Raises:
        MissingExtraError: matplotlib is not installed.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> plots.image(np.array([[1.0, -2.0], [0.0, 4.0]])).images[0].get_clim()
        (-4.0, 4.0)
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, inputs, sample=sample, which=which, **given)
    found = heat_map(one, cmap, channel_axis, check_percentile(percentile), pool)
    return _drawn(replace(found, bar=bool(colorbar)), _mode(mode), ax, (one.lines, title))


def _drawn(
    found: HeatMap, draw: Callable[..., None], ax: Axes | None, said: tuple[Any, Any]
) -> Axes:
    axes = axes_for(ax, 3.4, 3.2)
    head(axes, *said)
    draw(axes, found)
    return axes


def heat_map(
    one: Sample, cmap: Any = None, channel_axis: int | None = None, percentile: float = PERCENTILE,
    pool: int = 1,
) -> HeatMap:  # fmt: skip
    """Makes a map (H, W) of a sample, with errors, scale and picture.

    Args:
        one: The sample.
        cmap: As for `image`.
        channel_axis: Likewise.
        percentile: Likewise.
        pool: Likewise.

    Raises:
        InputError: Shapes that cannot be drawn or do not fit.
        InputTypeError: `cmap` is none, or `channel_axis` no whole number.
        MissingExtraError: matplotlib is not installed.
    """
    values = channels_last("attribution", one.values, channel_axis)
    with np.errstate(invalid="ignore"):  # infinities of two signs make NaN, which has its mark
        total = pooled(values.sum(axis=-1), check_count("pool", pool, 1))
    errors = None
    if one.errors is not None:
        each = channels_last("standard_error", one.errors, channel_axis)
        squares = np.asarray(combined(each, -1, alike=one.alike)) ** 2
        errors = np.sqrt(pooled(squares, pool))  # of pixels: as good as independent
    scale = scale_of(total, signed=one.signed, percentile=percentile)
    colours = colour_map(cmap, signed=one.signed)
    found = HeatMap(total, errors, scale, colours, None, one.signed, pool, values.shape[:2])
    if one.inputs is None:
        return found
    picture = channels_last("inputs", one.inputs, channel_axis, like=one.values)
    if picture.shape[:2] != values.shape[:2]:
        raise InputError(
            f"inputs of shape {one.inputs.shape} and attribution of shape {one.values.shape} "
            f"differ; expected what was explained (channels may be first or last)"
        )
    return replace(found, picture=picture)


def draw_heat(axes: Axes, found: HeatMap, *, legend: bool = True, bar: bool | None = None) -> None:
    """Draws a heat map with its marks.

    Args:
        axes: Where.
        found: The map.
        legend: Whether to say below what the marks are.
        bar: Whether to draw the scale; None for what the map says.
    """
    scale = found.scale
    drawn = axes.imshow(
        np.ma.masked_invalid(found.values),
        cmap=found.colours,
        vmin=scale.low,
        vmax=scale.high,
        **found.place,
    )
    strip(axes)
    faded = 0
    if found.errors is not None:
        axes.imshow(haze(found.values, found.errors, scale.high), **found.place)
        faded = int(unsure(found.values, found.errors).sum())
    marked(axes, found.values, scale, found.pool)
    found.trim(axes)
    say_empty(axes, scale)
    if legend:
        key(axes, found.colours, scale, faded, found.values.size)
    if found.bar if bar is None else bar:
        colour_bar(axes, drawn, scale)


def _positive(axes: Axes, found: HeatMap) -> None:
    _half(axes, found, found.values < 0)


def _negative(axes: Axes, found: HeatMap) -> None:
    if not found.signed:
        raise InputError('mode is "negative", and the values are magnitudes; expected "map"')
    _half(axes, found, found.values > 0)


def _half(axes: Axes, found: HeatMap, left_out: Array) -> None:
    """Draws the values of one sign; the scale is that of both, so that halves can be compared."""
    values = np.where(left_out, 0.0, found.values)
    errors = None if found.errors is None else np.where(left_out, 0.0, found.errors)
    scale = scale_of(values, signed=True)
    counted = replace(
        found.scale,
        below=int((values[np.isfinite(values)] < found.scale.low).sum()),
        above=int((values[np.isfinite(values)] > found.scale.high).sum()),
        plus=scale.plus,
        minus=scale.minus,
        empty=scale.empty,
    )
    draw_heat(axes, replace(found, values=values, errors=errors, scale=counted))


def _overlay(axes: Axes, found: HeatMap) -> None:
    """Lays the map over the grey input, the more opaque the larger the value."""
    picture = 0.35 + 0.65 * grey(stretched(_needed(found, "overlay")))
    axes.imshow(picture, cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
    values, scale = found.values, found.scale
    size = np.clip(np.abs(np.nan_to_num(values)) / scale.high, 0, 1)
    doubt = 0.0 if found.errors is None else haze(values, found.errors, scale.high)[..., 3]
    alpha = np.where(np.isfinite(values), (1 - doubt) * size**0.5, 1.0)
    drawn = axes.imshow(
        np.ma.masked_invalid(values),
        cmap=found.colours,
        vmin=scale.low,
        vmax=scale.high,
        alpha=alpha,
        **found.place,
    )
    strip(axes)
    marked(axes, values, scale, found.pool)
    found.trim(axes)
    say_empty(axes, scale)
    key(
        axes, found.colours, scale, int(unsure(values, found.errors).sum()), values.size, clear=True
    )
    if found.bar:
        colour_bar(axes, drawn, scale)


def _masked(axes: Axes, found: HeatMap) -> None:
    """Shows the input where the map is largest, and pales the rest."""
    picture = stretched(_needed(found, "masked"))
    size = np.where(np.isfinite(found.values), np.abs(found.values), -1.0)
    size = np.where(unsure(found.values, found.errors), 0.0, size)
    kept = round(KEPT * size.size)
    order = np.argsort(-size, axis=None, kind="stable")[:kept]
    shown = np.zeros(size.size, dtype=bool)
    shown[order] = True
    shown &= size.ravel() > 0
    pale = 0.85 + 0.15 * grey(picture)
    colours = picture if picture.shape[-1] >= 3 else np.repeat(grey(picture)[..., None], 3, -1)
    height, width = picture.shape[:2]
    every = shown.reshape(size.shape).repeat(found.pool, axis=0).repeat(found.pool, axis=1)
    mask = every[:height, :width, None]
    paint(axes, np.where(mask, colours[..., :3], pale[..., None]))
    strip(axes)
    say_empty(axes, found.scale)
    axes.set_xlabel(f"the {shown.mean():.0%} of pixels with the largest values", fontsize=7)


_MODES: dict[str, Callable[..., None]] = {
    "map": draw_heat,
    "overlay": _overlay,
    "masked": _masked,
    "positive": _positive,
    "negative": _negative,
}


def _mode(mode: Any) -> Callable[..., None]:
    if not isinstance(mode, str) or mode not in _MODES:
        raise InputError(
            f"mode is {mode!r}.{nearest(mode, _MODES)} Expected one of {', '.join(_MODES)}"
        )
    return _MODES[mode]


def _needed(found: HeatMap, mode: str) -> Array:
    if found.picture is None:
        raise InputError(
            f"mode is {mode!r}, and there are no inputs; expected inputs= the explained pictures"
        )
    return found.picture
