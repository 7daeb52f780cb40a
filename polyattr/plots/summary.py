"""A whole data set: which features matter, how much, and in which direction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError, nearest
from polyattr.plots.drawing.bars import Bars, bar_labels, draw_bars, feature_names, set_rows
from polyattr.plots.drawing.colours import bar_colours, colour_map
from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.figure import FAINT, FRAME, INK, SMALL, axes_for, head, open_frame
from polyattr.plots.reading.samples import Samples, read_samples
from polyattr.plots.reading.words import shortened, target_of
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

_CLASSES = 3
"""Most classes that are counted by name."""

LOW_TO_HIGH = ("#2a788e", "#7fb8a8", "#d8d8c0", "#f0b04a", "#d1620b")
"""Of what features were: other colours than those of attributions, which mean something else."""


@dataclass(frozen=True)
class _Ranked:
    """The features with the largest mean magnitude, (N, K) each."""

    values: Array
    errors: Array | None
    inputs: Array | None
    labels: tuple[str, ...]
    others: int


def summary(
    attribution: Any, inputs: Any = None, *, ax: Axes | None = None, cmap: Any = None,
    style: str = "swarm", which: Any = None, names: Any = None, max_features: int = 12,
    standard_error: Any = None, signed: bool | None = None, title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws the attributions of all samples, the feature with the largest mean magnitude on top.

    The arguments not listed are those of `image`, whose errors are raised too.

    Args:
        attribution: An `Attribution`, or values (N, F); of any shape (N, ...), which is counted
            through.
        inputs: What was explained, (N, ...): a swarm is coloured by it.
        cmap: A colormap or its name: of the inputs in a swarm, of the attributions otherwise.
        style: "swarm": one dot per sample, hollow where it is within two standard errors of zero;
            or "bar": mean magnitudes, whose whiskers reach two of the mean standard error, as if
            the errors of samples went together, which those with shared draws do.
        names: One name per feature; None for those of the result, or numbers.
        max_features: Most features that are drawn.
        title: In place of the number of samples and features, and of the classes explained.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> ax = plots.summary(np.array([[1.0, -3.0], [1.0, 5.0]]), names=["age", "income"])
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['income', 'age']
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    every = read_samples(attribution, inputs, which=which, **given)
    named = {"names": names, "max_features": max_features, "title": title}
    return draw_summary(every, ax, cmap=cmap, style=style, **named)


def draw_summary(
    every: Samples, ax: Axes | None = None, *, cmap: Any = None, style: str = "swarm",
    names: Any = None, max_features: int = 12, title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws samples that are read already; the arguments and errors are those of `summary`."""
    draw, most = _style(style), check_count("max_features", max_features, 1)
    found = _rank(every, most, names)
    axes = axes_for(ax, 5.2, 1.0 + 0.27 * len(found.labels))
    draw(axes, found, cmap)
    head(axes, (_said(len(every), found.others), *_explained(every)), title)
    return axes


def _said(samples: int, others: int) -> str:
    left = f", {others} more feature{'s' * (others > 1)} not drawn" if others else ""
    return f"{samples:,} sample{'s' * (samples > 1)}{left}"


def _explained(every: Samples) -> tuple[str, ...]:
    """What the samples were explained for: the same sign speaks for another class in each."""
    if every.result is None:
        return ()
    asked = Counter(target_of(every.result, i) for i in range(len(every)))
    asked.pop("", None)
    if not asked:
        return ()
    said = [f"{shortened(name, 22)} ({count:,})" for name, count in asked.most_common(_CLASSES)]
    left = len(asked) - len(said)
    said += [f"{left} more"] if left else []
    if len(asked) == 1:
        return (f"for {next(iter(asked))}",)
    return (f"each for its own target: {', '.join(said)}",)


def _rank(every: Samples, most: int, names: Any) -> _Ranked:
    if every.values.ndim < 2 or not every.values.size:
        raise InputError(
            f"attribution has shape {every.values.shape}; expected (N, F): several samples of at "
            f"least one feature"
        )
    n = len(every)
    flat = every.values.reshape(n, -1)
    size = np.abs(np.where(np.isfinite(flat), flat, 0.0)).mean(axis=0)
    order = np.argsort(-size, kind="stable")[:most]
    if every.inputs is not None and every.inputs.shape != every.values.shape:
        raise InputError(
            f"inputs of shape {every.inputs.shape} and attribution of shape {every.values.shape} "
            f"differ; expected what was explained, sample by sample"
        )
    called = feature_names(names, every.names.features, every.values.shape[1:])

    def taken(values: Array | None) -> Array | None:
        return None if values is None else values.reshape(n, -1)[:, order]

    left = flat.shape[1] - len(order)
    labels = bar_labels(called, None, order)
    return _Ranked(flat[:, order], taken(every.errors), taken(every.inputs), labels, left)


def _bars(axes: Axes, found: _Ranked, cmap: Any) -> None:
    finite = np.isfinite(found.values)
    mean = np.abs(np.where(finite, found.values, 0.0)).sum(axis=0) / np.maximum(finite.sum(0), 1)
    errors = None
    if found.errors is not None:
        errors = np.where(finite, found.errors, 0.0).sum(axis=0) / np.maximum(finite.sum(0), 1)
    colours = bar_colours(cmap, signed=False)  # magnitudes have no sign, whatever the values had
    draw_bars(axes, Bars(mean, errors, found.labels, colours), signed=False)
    axes.set_xlabel("mean magnitude of the attribution", fontsize=SMALL, color=FAINT)


def _swarm(axes: Axes, found: _Ranked, cmap: Any) -> None:
    for row in range(len(found.labels)):
        axes.axhline(row, color=FRAME, linewidth=0.4, zorder=0)
    n, k = found.values.shape
    finite = np.isfinite(found.values)
    heights = _heights(found.values, finite)
    size = float(np.clip(1400 / n, 3.0, 16.0))
    colours, shown = _dot_colours(found, cmap)
    hollow = unsure(found.values, found.errors)
    for row in range(k):
        for where, filled in ((~hollow[:, row], True), (hollow[:, row], False)):
            here = where & finite[:, row]
            axes.scatter(
                found.values[here, row], row + heights[here, row], s=size,
                facecolors=colours[here, row] if filled else "none",
                edgecolors="none" if filled else colours[here, row],
                linewidths=0.0 if filled else 0.5, rasterized=n > 2000,
            )  # fmt: skip
    lost = int((~finite).sum())
    axes.axvline(0, color=INK, linewidth=0.7)
    if not found.values[finite].any():
        axes.set_xlim(-1, 1)
    set_rows(axes, found.labels)
    open_frame(axes, "bottom")
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="x", nbins=6)
    notes = ["attribution"] + (["hollow: within 2 s.e. of 0"] if hollow.any() else [])
    notes += [f"{lost} not finite, not drawn"] if lost else []
    axes.set_xlabel("; ".join(notes), fontsize=SMALL, color=FAINT)
    if shown is not None:
        _value_bar(axes, shown)


def _heights(values: Array, finite: Array) -> Array:
    """Spreads dots of about the same value over the height of their row: (N, K) in [-0.4, 0.4]."""
    low, high = (float(f(values[finite], initial=0.0)) for f in (np.min, np.max))
    width = (high - low) / 90 or 1.0
    heights = np.zeros(values.shape)
    bins = np.floor((np.where(finite, values, 0.0) - low) / width).astype(np.int64)
    for row in range(values.shape[1]):
        order = np.lexsort((values[:, row], bins[:, row]))
        own = bins[order, row]
        first = np.flatnonzero(np.diff(own, prepend=own[0] - 1))
        place = np.arange(len(own)) - np.repeat(first, np.diff(np.append(first, len(own))))
        side = np.where(place % 2 == 1, 1, -1) * ((place + 1) // 2)
        heights[order, row] = side
    most = np.abs(heights).max() or 1.0
    return np.asarray(heights * min(0.4 / most, 0.085))


def _dot_colours(found: _Ranked, cmap: Any) -> tuple[Array, Any]:
    """Returns colours (N, K, 4): by where the input lies between the extremes of its feature."""
    from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgba

    if found.inputs is None:
        one = np.array(to_rgba("#5b6770"))
        return np.broadcast_to(one, (*found.values.shape, 4)), None
    shown: Colormap = LinearSegmentedColormap.from_list("values", list(LOW_TO_HIGH))
    if cmap is not None:
        shown = colour_map(cmap, signed=False)
    inputs = np.where(np.isfinite(found.inputs), found.inputs, np.nan)
    low, high = np.nanpercentile(inputs, [5, 95], axis=0)
    span = np.where(high > low, high - low, 1.0)
    place = np.clip((np.nan_to_num(inputs, nan=0.0) - low) / span, 0, 1)
    return np.asarray(shown(np.where(high > low, place, 0.5))), shown


def _value_bar(axes: Axes, shown: Any) -> None:
    from matplotlib.cm import ScalarMappable

    beside = axes.inset_axes((1.02, 0.0, 0.018, 1.0))
    bar = axes.figure.colorbar(ScalarMappable(cmap=shown), cax=beside, ticks=[0, 1])
    bar.ax.set_yticklabels(["low", "high"], fontsize=SMALL - 0.5, color=INK)
    bar.set_label("value of the feature", fontsize=SMALL, color=FAINT, labelpad=-12)
    bar.outline.set(edgecolor=FRAME, linewidth=0.6)
    beside.tick_params(length=0)


_STYLES: dict[str, Callable[..., None]] = {"swarm": _swarm, "bar": _bars}


def _style(style: Any) -> Callable[..., None]:
    if not isinstance(style, str) or style not in _STYLES:
        raise InputError(
            f"style is {style!r}.{nearest(style, _STYLES)} Expected one of {', '.join(_STYLES)}"
        )
    return _STYLES[style]
