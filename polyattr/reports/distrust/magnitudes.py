"""How large maps are, what is lost in them, and what stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.plots.reading.tokens import glued
from polyattr.reports.reading import Part

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Magnitudes:
    """Of each of the M = T * N maps, over all inputs.

    Attributes:
        size: (M,) the summed magnitude of its finite values.
        largest: (M,) the largest magnitude of a feature: of a pixel, a word, a number.
        at: (M,) what that feature is called.
        lost: (M,) how many values are not finite.
        unsure: (M,) the summed standard error, NaN where it is not known.
        features: How many features a map has.
    """

    size: Array
    largest: Array
    at: tuple[str, ...]
    lost: Array
    unsure: Array
    features: int


def measure(parts: Sequence[Part]) -> Magnitudes:
    """Reads all maps, one after the other: they may be many and large."""
    count = parts[0].result.scores.size
    found = [_measured(parts, i) for i in range(count)]
    size, largest, lost, unsure = np.array([numbers for numbers, _, _ in found]).T
    return Magnitudes(
        size, largest, tuple(at for _, at, _ in found), lost.astype(np.int64), unsure, found[0][2]
    )


def _measured(parts: Sequence[Part], i: int) -> tuple[tuple[float, float, int, float], str, int]:
    size, largest, lost, unsure, at, features = 0.0, 0.0, 0, 0.0, "", 0
    for part in parts:
        one = part.one(i)
        finite = np.isfinite(one.values)
        lost += int((~finite).sum())
        size += float(np.abs(one.values[finite]).sum())
        unsure += np.nan if one.errors is None else float(one.errors[finite].sum())
        units = part.units(np.where(finite, one.values, 0.0))
        features += units.size
        top = int(np.abs(units).argmax()) if units.size else 0
        if units.size and abs(units.ravel()[top]) > largest:
            largest = float(abs(units.ravel()[top]))
            at = _called(part, i, units.shape, top)
    return (size, largest, lost, unsure), at, features


def _called(part: Part, i: int, shape: tuple[int, ...], top: int) -> str:
    """What a feature is called."""
    place = tuple(int(k) for k in np.unravel_index(top, shape))
    before = f"{part.name}: " if part.name else ""
    features, tokens = part.names.features, part.names.tokens
    if part.kind == "image" and len(place) == 2:
        return f"{before}pixel at row {place[0]}, column {place[1]}"
    if part.kind == "text" and tokens is not None:
        word = glued(tokens[i % part.result.scores.shape[-1]][top], top)[0]
        return f"{before}word {word!r}"
    if len(place) == 1 and features is not None and len(features) == shape[0]:
        return f"{before}{features[top]}"
    return f"{before}feature {place[0] if len(place) == 1 else place}"
