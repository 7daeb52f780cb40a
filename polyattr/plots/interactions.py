"""How pairs of features act on the score together, as a matrix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError
from polyattr.plots.drawing.bars import bar_labels, feature_names
from polyattr.plots.drawing.colours import colour_map
from polyattr.plots.drawing.doubt import unsure
from polyattr.plots.drawing.figure import FAINT, INK, SMALL, axes_for, head
from polyattr.plots.drawing.marks import share
from polyattr.plots.drawing.scale import Scale, check_percentile, scale_of
from polyattr.plots.image import HeatMap, draw_heat
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

_FEW = 9
"""Up to this many features their numbers stand in the cells."""


def interactions(
    attribution: Any, *, ax: Axes | None = None, cmap: Any = None, sample: Any = 0,
    which: Any = None, names: Any = None, max_features: int = 20, percentile: float = 100.0,
    standard_error: Any = None, signed: bool | None = None, colorbar: bool = True,
    title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws the interactions of features, as `SmoothHess` gives them, with zero in white.

    What is within two standard errors of zero fades to grey. The arguments not listed are those of
    `image`, whose errors are raised too.

    Args:
        attribution: An `Attribution` of pairs, or a matrix (F, F).
        names: One name per feature; None for numbers.
        max_features: Most features that are drawn: those with the largest magnitudes.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> ax = plots.interactions(np.array([[0.0, 2.0], [2.0, 0.0]]), names=["age", "dose"])
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['age', 'dose']
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, sample=sample, which=which, **given)
    called = feature_names(names, one.names.features, (_check(one),))
    kept = _kept(one.values, check_count("max_features", max_features, 1))
    found = replace(_matrix(one, kept, cmap, percentile), bar=bool(colorbar))
    labels = bar_labels(called, None, kept)
    cell = 0.42 if len(kept) <= _FEW else 0.26
    side = 0.085 * max(map(len, labels)) + cell * len(kept)
    axes = axes_for(ax, side + 1.0, 0.8 * side + 0.9 + 0.05 * len(kept))
    _draw(axes, found, labels, left=len(called) - len(kept))
    head(axes, one.lines, title)
    return axes


def _matrix(one: Sample, kept: Array, cmap: Any, percentile: Any) -> HeatMap:
    values, errors = _block(one.values, kept), _block(one.errors, kept)
    scale = scale_of(values, signed=one.signed, percentile=check_percentile(percentile))
    return HeatMap(values, errors, scale, colour_map(cmap, signed=one.signed), None, one.signed)


def _draw(axes: Axes, found: HeatMap, labels: tuple[str, ...], *, left: int) -> None:
    draw_heat(axes, found, legend=False)
    axes.set_aspect("auto")  # a layout knows the room of names beside axes that it may stretch
    _name(axes, labels)
    if len(labels) <= _FEW:
        _write(axes, found.values, found.errors, found.scale)
    _say(axes, found, left)


def _check(one: Sample) -> int:
    shape = one.values.shape
    if one.values.ndim != 2 or shape[0] != shape[1] or not one.values.size:
        raise InputError(
            f"attribution has shape {shape}; expected one matrix (F, F), as SmoothHess gives for "
            f"all pairs of its features, such as attribution[0]"
        )
    return int(shape[0])


def _kept(values: Array, most: int) -> Array:
    size = np.abs(np.where(np.isfinite(values), values, 0.0)).sum(axis=1)
    return np.sort(np.argsort(-size, kind="stable")[:most])


def _block(values: Array | None, kept: Array) -> Any:
    return None if values is None else values[np.ix_(kept, kept)]


def _name(axes: Axes, labels: tuple[str, ...]) -> None:
    places = np.arange(len(labels))
    axes.set_yticks(places, list(labels), fontsize=SMALL, color=INK)
    axes.set_xticks(
        places, list(labels), fontsize=SMALL, color=INK, rotation=45, ha="right",
        rotation_mode="anchor",
    )  # fmt: skip
    axes.tick_params(length=0)


def _write(axes: Axes, values: Array, errors: Array | None, scale: Scale) -> None:
    pale = unsure(values, errors)
    places = int(np.clip(1 - np.floor(np.log10(scale.high)), 0, 6))
    for (i, j), value in np.ndenumerate(values):
        if not np.isfinite(value) or pale[i, j]:
            continue
        ink = "white" if abs(value) > 0.62 * scale.high else INK
        axes.text(j, i, f"{value:.{places}f}", ha="center", va="center", fontsize=6.5, color=ink)


def _say(axes: Axes, found: HeatMap, left: int) -> None:
    """Says below what is marked: names take the place where other maps have their key."""
    scale, faded = found.scale, int(unsure(found.values, found.errors).sum())
    counted = (
        (faded, f"grey: {share(faded, found.values.size)} within 2 s.e. of 0"),
        (scale.above + scale.below, f"{scale.above + scale.below} beyond the scale"),
        (scale.nan, f"{scale.nan} NaN"),
        (scale.plus + scale.minus, f"{scale.plus + scale.minus} infinite"),
        (left, f"{left} more features"),
    )
    words = [text for count, text in counted if count]
    if words:
        axes.set_xlabel("; ".join(words), fontsize=SMALL, color=FAINT)
