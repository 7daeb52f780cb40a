"""All samples in one picture."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.plots.drawing.bars import feature_names
from polyattr.plots.drawing.pictures import channels_last
from polyattr.plots.reading.explained import numbers_of
from polyattr.plots.reading.samples import Sample, Samples
from polyattr.plots.summary import draw_summary
from polyattr.reports.pictures.encoded import drawing
from polyattr.reports.pictures.maps import map_of, strongest_ninth
from polyattr.reports.pictures.shown import Legend, Shown
from polyattr.reports.reading import Part
from polyattr.reports.words import aim_of, counted, number
from polyattr.results.attribution import Attribution
from polyattr.results.names import Names

Array = np.ndarray[Any, Any]

_WIDEST = 4096
"""Features beyond which they are not ranked: nobody reads which pixel it was."""
_TARGETS = 6
"""Targets with a picture each."""


@dataclass(frozen=True)
class Overview:
    """A picture of all samples.

    Attributes:
        title: Of which input and target; "" for the only one.
        image: Itself.
        caption: How it is read, and what is to be seen.
        legend: What its colours mean; None where it says so itself.
    """

    title: str
    image: Shown
    caption: str
    legend: Legend | None = None


def overview_of(result: Attribution, parts: list[Part]) -> list[Overview]:
    """Draws all samples of a result: features in order of their magnitude, or the mean map.

    Nothing for a single sample, and for words, which are others in each sample.
    """
    if len(result) < 2:
        return []
    found = []
    for part in parts:
        several = result.scores.ndim > 1
        for t in range(min(_TARGETS, len(result.scores)) if several else 1):
            values = part.values[t] if several else part.values
            errors = part.errors[t] if several and part.errors is not None else part.errors
            drawn = _one(part, values, errors)
            if drawn is not None:
                title = [part.name, _target(result, t) if several else ""]
                found.append(_titled(drawn, ": ".join(filter(None, title))))
    return found


def _titled(drawn: Overview, title: str) -> Overview:
    return Overview(title, drawn.image, drawn.caption, drawn.legend)


def _target(result: Attribution, t: int) -> str:
    return aim_of(result, t * result.scores.shape[-1])


def _one(part: Part, values: Array, errors: Any) -> Overview | None:
    if part.kind == "image":
        return _mean_map(values)
    if part.kind == "timeseries":
        return _channels(part, values)
    size = int(np.prod(part.shape, dtype=np.int64))
    if part.kind != "tabular" or not 1 < size <= _WIDEST:
        return None
    shown = numbers_of("values", values)
    doubt = None if errors is None else numbers_of("standard_error", errors)
    inputs = None if part.inputs is None else numbers_of("inputs", part.inputs)
    names = feature_names(None, part.names.features, part.shape)
    return _ranked(part, shown, doubt, inputs, names)


def _ranked(
    part: Part, values: Array, errors: Array | None, inputs: Array | None, names: tuple[str, ...]
) -> Overview:
    signed = part.result.signed is not False
    every = Samples(values, errors, signed, inputs, part.names)
    axes = draw_summary(every, names=names, title="")
    image = drawing(axes.figure, 110)  # type: ignore[arg-type]  # of no other figure's part
    finite = np.abs(np.where(np.isfinite(values), values, 0.0)).reshape(len(values), -1)
    mean = finite.mean(axis=0)
    first = [int(k) for k in np.argsort(-mean, kind="stable")[:3]]
    named = ", ".join(f"{names[k]} ({number(float(mean[k]))})" for k in first)
    said = f"The largest mean magnitudes: {named}."
    how = f"Each dot is one of {counted(len(values), 'sample')}; right of zero it is for the score"
    how = f"{how}." if signed else f"Each dot is one of {counted(len(values), 'sample')}."
    alt = f"Attributions of all samples by feature. {said}"
    return Overview("", Shown(image, alt, style="drawing"), f"{how} {said}")


def _channels(part: Part, values: Array) -> Overview | None:
    """Ranks the channels of series, each summed over its moments."""
    shape, known = part.shape, part.names.channels
    if len(shape) != 2:
        return None
    axis = int(shape[1] <= shape[0])
    if known is not None and len(known) in shape:
        axis = shape.index(len(known))
    shown = np.nansum(numbers_of("values", values), axis=2 - axis)
    if shown.shape[1] < 2:
        return None
    names = known or tuple(f"channel {k}" for k in range(shown.shape[1]))
    found = _ranked(part, shown, None, None, names)
    return Overview("", found.image, f"Channels, summed over time. {found.caption}")


def _mean_map(values: Array) -> Overview:
    """Draws the mean magnitude of all maps, pixel by pixel."""
    total: Array | None = None
    for value in values:
        with np.errstate(invalid="ignore"):
            one = channels_last("values", numbers_of("values", value)).sum(axis=-1)
        size = np.abs(np.where(np.isfinite(one), one, 0.0))
        total = size if total is None else total + size
    mean = np.asarray(total) / len(values)
    pool = max(1, -(-max(mean.shape) // 112))
    image, legend, cells = map_of(Sample(mean, None, False, None, (), Names(), 0), pool)
    said = strongest_ninth(cells)
    alt = f"Mean magnitude of all maps. {said}"
    how = f"Mean magnitude over {counted(len(values), 'sample')}, pixel by pixel."
    shown = replace(image.described(alt), caption="mean magnitude")
    return Overview("", shown, f"{how} {said}", legend)
