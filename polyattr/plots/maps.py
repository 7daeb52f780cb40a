"""Attributions as pictures. matplotlib is imported on use, and its global state is not touched."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, InputTypeError, MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MOST_SAMPLES = 16
# Both scales are pure white at zero, so that no attribution looks like paper.
SIGNED_COLOURS = ("#053061", "#2166ac", "#92c5de", "#ffffff", "#f4a582", "#b2182b", "#67001f")
UNSIGNED_COLOURS = ("#ffffff", "#bcbddc", "#756bb1", "#3f007d")
FOR, AGAINST, UNSIGNED = "#b2182b", "#2166ac", "#54278f"
PICTURE_CHANNELS = (1, 3, 4)
# Beyond this many features bars are thinner than a pixel: lines draw the same and much faster.
MOST_BARS = 100


def plot_attribution(
    values: np.ndarray, *, inputs: np.ndarray | None = None, titles: Sequence[str] | None = None
) -> Figure:
    """Draws attributions, each sample on a colour scale of its own.

    Signed values get a diverging scale, white at zero, red for the score and blue against it;
    values without a negative a sequential one from zero. Channels are summed.

    Args:
        values: (N, H, W), (N, H, W, C) or (N, C, H, W) for heat maps, (N, features) or (N,) for
            bar charts. The first 16 samples are drawn; the title says so if there are more.
        inputs: What was explained, in the shape of `values`, drawn beside the maps; images may
            have their channels on the other end, and a single one no axis of samples.
        titles: One line per sample.

    Returns:
        A figure that pyplot does not know; a notebook shows it, `savefig` writes it.

    Raises:
        InputError: The shapes cannot be drawn, or do not match.
        MissingExtraError: matplotlib is not installed.
    """
    values = _numbers("values", values)
    inputs = None if inputs is None else _with_samples(values, _numbers("inputs", inputs))
    _check(values, inputs, titles)
    shown = values[:MOST_SAMPLES] if values.ndim > 1 else values[:MOST_SAMPLES, None]
    if shown.ndim == 2:
        inputs = None  # feature vectors have no picture to stand beside the bars
    signed = bool((shown < 0).any())
    panels, figure = _panels(len(shown), maps=shown.ndim > 2, paired=inputs is not None)
    for i, axes in enumerate(panels):
        if inputs is not None:
            draw_image(axes[0], inputs[i])
        _draw_sample(figure, axes[-1], shown[i], signed=signed)
        if titles is not None:
            axes[0].set_title(titles[i], loc="left", fontsize=9)
    if len(values) > MOST_SAMPLES:
        figure.suptitle(f"the first {MOST_SAMPLES} of {len(values)} samples")
    return figure


def _numbers(name: str, given: Any) -> np.ndarray:
    # As float64: half and bfloat16 have no picture otherwise.
    try:
        array = np.asarray(given)
        if array.dtype.kind in "biuf" or array.dtype.name == "bfloat16":
            return array.astype(np.float64)
    except (TypeError, ValueError):
        pass
    raise InputTypeError(f"{name} are a {type(given).__name__}; expected an array of real numbers")


def _with_samples(values: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Gives the picture of a single sample its axis of samples, where that is missing."""
    alone = values.shape[:1] == (1,) and not _alike(values, inputs) and _alike(values, inputs[None])
    return inputs[None] if alone else inputs


def _alike(values: np.ndarray, inputs: np.ndarray) -> bool:
    """Says whether pictures fit maps: a photo comes (H, W, C), its map perhaps (C, H, W)."""
    if inputs.shape == values.shape:
        return True
    if inputs.shape[:1] != values.shape[:1] or min(inputs.ndim, values.ndim) < 3 or inputs.ndim > 4:
        return False
    return _channels_last(inputs[0]).shape[:2] == _channels_last(values[0]).shape[:2]


def _draw_sample(figure: Figure, axes: Axes, attribution: np.ndarray, *, signed: bool) -> None:
    if attribution.ndim == 1:
        draw_bars(axes, attribution, signed=signed)
        return
    image = draw_map(axes, heat(attribution), signed=signed)
    scale = figure.colorbar(image, ax=axes, ticks=_ends(image), format="%.2g")
    scale.ax.tick_params(labelsize=7)


def new_figure(width: float, height: float) -> Figure:
    """Makes a figure outside pyplot's list of figures.

    Args:
        width: In inches.
        height: In inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("drawing", "plots") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    # A notebook displays figures by itself only after pyplot was imported; this asks for no pyplot.
    vars(figure)["_repr_png_"] = partial(_png, figure)
    return figure


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def draw_map(axes: Axes, attribution: np.ndarray, *, signed: bool) -> AxesImage:
    """Draws one heat map (H, W); white is zero, the deepest colour its largest magnitude.

    Args:
        axes: Where to draw.
        attribution: (H, W).
        signed: Whether both signs mean something: a diverging scale centred on zero.
    """
    top = float(np.abs(attribution).max()) or 1.0  # an empty scale for an all-zero map is an error
    image = axes.imshow(
        attribution,
        cmap=colour_map(signed=signed),
        vmin=-top if signed else 0.0,
        vmax=top,
        interpolation="nearest",
    )
    strip(axes)
    return image


def colour_map(*, signed: bool) -> Colormap:
    """Returns blue - white - red for signed values, white - purple for others."""
    from matplotlib.colors import LinearSegmentedColormap

    name, colours = ("signed", SIGNED_COLOURS) if signed else ("unsigned", UNSIGNED_COLOURS)
    return LinearSegmentedColormap.from_list(name, list(colours), N=257)  # odd: zero is a colour


def draw_image(axes: Axes, image: np.ndarray) -> None:
    """Draws one input: (H, W), or (H, W, C) or (C, H, W) in colour where C is 3 or 4.

    Values are stretched over the range of the image, so any normalisation can be shown.
    """
    picture = _channels_last(image)
    low, high = float(picture.min()), float(picture.max())
    picture = (picture - low) / ((high - low) or 1.0)
    if picture.shape[-1] not in (3, 4):
        picture = picture.mean(axis=-1)
    axes.imshow(picture, cmap="gray_r" if low == 0.0 else "gray", interpolation="nearest")
    strip(axes)


def draw_bars(axes: Axes, attribution: np.ndarray, *, signed: bool) -> None:
    """Draws one bar per feature.

    Args:
        axes: Where to draw.
        attribution: (features,).
        signed: Whether to tell positive from negative by colour.
    """
    places = np.arange(len(attribution))
    positive = FOR if signed else UNSIGNED
    colours = np.where(attribution < 0, AGAINST, positive).tolist()
    if len(attribution) <= MOST_BARS:
        axes.bar(places, attribution, color=colours)
    else:
        axes.vlines(places, 0, attribution, colors=colours, linewidth=0.8)
    axes.axhline(0, color="black", linewidth=0.6)
    axes.tick_params(labelsize=7)
    axes.spines[["top", "right"]].set_visible(False)


def strip(axes: Axes) -> None:
    """Takes ticks off and makes the frame faint."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set(color="0.8", linewidth=0.6)


def heat(attribution: np.ndarray) -> np.ndarray:
    """Sums the channels: (H, W, C) or (C, H, W) to (H, W); (H, W) stays."""
    total: np.ndarray = _channels_last(attribution).sum(axis=-1)
    return total


def _channels_last(image: np.ndarray) -> np.ndarray:
    """Returns (H, W, C), taking the first axis for channels only where the last cannot be."""
    if image.ndim == 2:
        return image[..., None]
    first, last = image.shape[0], image.shape[-1]
    if last not in PICTURE_CHANNELS and (first in PICTURE_CHANNELS or first < last):
        return np.moveaxis(image, 0, -1)
    return image


def _panels(samples: int, *, maps: bool, paired: bool) -> tuple[list[list[Axes]], Figure]:
    """Lays out one axes per sample, or two where the input stands beside its map."""
    each = 2 if paired else 1
    columns = math.ceil(math.sqrt(samples / each))
    rows = math.ceil(samples / columns)
    width, height = (2.3, 2.1) if maps else (3.4, 2.0)
    figure = new_figure(max(width * columns * each, 3.2), height * rows + 0.4)
    grid = figure.subplots(rows, columns * each, squeeze=False).ravel()
    for spare in grid[samples * each :]:
        spare.set_axis_off()
    return [list(grid[i * each : (i + 1) * each]) for i in range(samples)], figure


def _ends(image: AxesImage) -> list[Any]:
    low, high = image.get_clim()
    return [low, 0.0, high] if low < 0 else [low, high]


def _check(values: np.ndarray, inputs: np.ndarray | None, titles: Sequence[str] | None) -> None:
    if not 1 <= values.ndim <= 4 or values.size == 0:
        raise InputError(
            f"values of shape {values.shape} cannot be drawn; expected (N, features) for bars, or "
            "(N, H, W), (N, H, W, C) or (N, C, H, W) for maps, with N at least 1"
        )
    if not np.isfinite(values).all():
        raise InputError("values hold NaN or infinity, which have no colour")
    if inputs is not None and not _alike(values, inputs):
        raise InputError(
            f"inputs of shape {inputs.shape} and values of shape {values.shape} differ; expected "
            f"what was explained, sample by sample (channels may be first or last)"
        )
    listed = isinstance(titles, np.ndarray) and titles.ndim > 0
    listed = listed or (isinstance(titles, Sequence) and not isinstance(titles, str | bytes))
    if titles is not None and not listed:
        raise InputTypeError(f"titles is {titles!r}; expected one text for each sample")
    if titles is not None and len(titles) != len(values):
        raise InputError(f"{len(titles)} titles for {len(values)} samples; expected one for each")
