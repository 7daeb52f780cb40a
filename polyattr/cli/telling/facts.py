"""What is known of each sample of a result, in columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from polyattr.cli.exits import WrongUseError
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
    for name, values, _ in axes.leaves(result):
        inner = axes.inner(result, values.shape[1:])
        flat = values.reshape(len(values), math.prod(values.shape[1:]))
        sizes = np.where(np.isnan(flat), -1.0, np.abs(flat))
        most = np.argsort(-sizes, axis=1, kind="stable")[:, :count]
        for sample, places in enumerate(most):
            for place in places:
                at = np.unravel_index(int(place), values.shape[1:]) if inner else ()
                parts = [axis.labels[int(i)] for axis, i in zip(inner, at, strict=True)]
                label = ", ".join(map(str, parts))
                label = label if name == "values" else f"{name.removeprefix('values')} {label}"
                found[sample].append((label, float(flat[sample, place])))
    return [sorted(each, key=lambda pair: -abs(pair[1]))[:count] for each in found]
