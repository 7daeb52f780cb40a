"""Features of a table as ranked bars with their names, values and errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.errors import InputError
from polyattr.plots.drawing.bars import Bars, bar_labels, draw_bars, feature_names
from polyattr.plots.drawing.colours import bar_colours
from polyattr.plots.drawing.doubt import combined
from polyattr.plots.drawing.figure import axes_for, head
from polyattr.plots.reading.samples import Sample, read_sample
from polyattr.question.checks import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Ranked:
    """The largest features, and what the others sum to.

    Attributes:
        order: (K,) which features, the largest first.
        others: How many more there are.
        values: (K,) of these, or (K + 1,) with the sum of the others.
        errors: Their standard errors, or None.
    """

    order: Array
    others: int
    values: Array
    errors: Array | None


def tabular(
    attribution: Any, inputs: Any = None, *, ax: Axes | None = None, cmap: Any = None,
    sample: Any = 0, which: Any = None, names: Any = None, max_features: int = 12,
    standard_error: Any = None, signed: bool | None = None, title: str | None = None,
) -> Axes:  # fmt: skip
    """Draws the features of one sample as bars, the largest first, with what they were.

    Whiskers reach two standard errors to both sides; bars that are shorter than that are pale. The
    features that are not drawn stand in one bar, with the error that theirs have together. The
    arguments not listed are those of `image`, whose errors are raised too.

    Args:
        attribution: An `Attribution`, or one value per feature (F,); of any shape (...), which is
            counted through.
        inputs: What was explained, (N, ...) or one sample, written beside the names.
        cmap: A colormap or its name, whose ends are the colours; None for red and blue.
        names: One name per feature; None for those of the result, or numbers.
        max_features: Most features with a bar of their own.

    Returns:
        The axes; a notebook shows them.

    Example:
        >>> import numpy as np
        >>> from polyattr import plots
        >>> ax = plots.tabular(np.array([0.5, -2.0]), names=["age", "income"])
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['income', 'age']
    """
    given: dict[str, Any] = {"standard_error": standard_error, "signed": signed}
    one = read_sample(attribution, inputs, sample=sample, which=which, **given)
    bars = _bars(one, names, check_count("max_features", max_features, 1), cmap)
    axes = axes_for(ax, 4.6, 0.9 + 0.24 * len(bars.labels))
    draw_bars(axes, bars, signed=one.signed)
    head(axes, one.lines, title, loc="right")
    return axes


def _bars(one: Sample, names: Any, most: int, cmap: Any) -> Bars:
    if not one.values.size:
        raise InputError(f"attribution has shape {one.values.shape}; expected at least one feature")
    found = rank(one, most)
    called = feature_names(names, one.names.features, one.values.shape)
    labels = _labels(found, called, one, others=found.others)
    return Bars(found.values, found.errors, labels, bar_colours(cmap, signed=one.signed))


def rank(one: Sample, most: int) -> Ranked:
    """Sorts by magnitude, what is not finite first; a rest of one is drawn by itself.

    Args:
        one: The sample.
        most: Most features with a place of their own.
    """
    values = one.values.ravel()
    errors = None if one.errors is None else one.errors.ravel()
    size = np.where(np.isfinite(values), np.abs(values), np.inf)
    order = np.argsort(-size, kind="stable")
    kept = order if len(order) <= most + 1 else order[:most]
    rest = order[len(kept) :]
    if not len(rest):
        return Ranked(kept, 0, values[kept], None if errors is None else errors[kept])
    total = np.append(values[kept], math.fsum(values[rest]) if one.signed else values[rest].sum())
    if errors is not None:
        whole = np.asarray(combined(errors[rest], 0, alike=one.alike))
        errors = np.append(errors[kept], whole)
    return Ranked(kept, len(rest), total, errors)


def _labels(found: Ranked, called: tuple[str, ...], one: Sample, others: int) -> tuple[str, ...]:
    given = one.inputs
    if given is not None and given.size != one.values.size:
        raise InputError(
            f"inputs of shape {given.shape} and attribution of shape {one.values.shape} "
            f"differ; expected what was explained"
        )
    labels = bar_labels(called, None if given is None else given.ravel(), found.order)
    return (*labels, f"{others} others") if others else labels
