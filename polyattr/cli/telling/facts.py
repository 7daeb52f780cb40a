"""What is known of each sample of a result, in columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from polyattr.cli.exits import WrongUseError
from polyattr.reports.reading import Part, read_parts
from polyattr.results.attribution import Attribution
from polyattr.results.exports import axes

Array = np.ndarray[Any, Any]


def facts(result: Attribution) -> Mapping[str, Array]:
    """Returns score, error and the like, (N,) each; what the result lacks is not there.

    Raises:
        WrongUseError: It has several targets for each sample.
    """
    if result.scores.ndim != 1:
        raise WrongUseError(
            f"this result has {len(result.scores)} targets for each sample; expected one: save "
            f"result.target(...) of each"
        )
    n = len(result.scores)
    rows = axes.named(result, "rows")
    found: dict[str, Array | None] = {
        "sample": np.arange(n),
        "name": None if rows is None else np.array(rows, dtype=object),
        "score": result.scores,
        "baseline_score": result.baseline_scores,
        "gap": result.completeness_gap,
        "error": result.error,
        "converged": np.asarray(result.converged, dtype=bool),
        "evaluations": result.evaluations,
    }
    asked = axes.classes(result)
    if asked is not None:
        found["target"] = np.asarray(result.targets)
        found["class"] = np.array([str(name) for name in asked], dtype=object)
    return {name: array for name, array in found.items() if array is not None}


def top(result: Attribution, count: int) -> list[list[tuple[str, float]]]:
    """Returns for each sample the features of the largest attributions, by name or by place.

    Args:
        result: With NumPy arrays.
        count: How many.
    """
    found: list[list[tuple[str, float]]] = [[] for _ in range(len(result.scores))]
    if not found:
        return found
    for part in read_parts(result, None):
        for sample, values in enumerate(part.values):
            units = part.units(values)  # of a picture its pixels, of a text its words
            sizes = np.where(np.isnan(units), -1.0, np.abs(units)).ravel()
            for place in np.argsort(-sizes, kind="stable")[:count]:
                at = tuple(int(k) for k in np.unravel_index(int(place), units.shape))
                found[sample].append((_called(part, sample, at), float(units[at])))
    return [sorted(each, key=lambda pair: -abs(pair[1]))[:count] for each in found]


def _called(part: Part, sample: int, at: tuple[int, ...]) -> str:
    """What a feature is called, or where it stands."""
    features, tokens = part.names.features, part.names.tokens
    called = ", ".join(map(str, at))
    if part.kind == "image" and len(at) == 2:
        called = f"row {at[0]}, column {at[1]}"
    elif part.kind == "text" and tokens is not None:
        called = f"word {at[0]}, {tokens[sample][at[0]]!r}"
    elif len(at) == 1 and features is not None and at[0] < len(features):
        called = features[at[0]]
    return f"{part.name}: {called}" if part.name else called
