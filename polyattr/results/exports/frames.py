"""A result as a DataFrame of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.errors import InputError
from polyattr.results.exports import axes
from polyattr.results.exports.optional import library
from polyattr.results.record import Record

FACTS = {
    "score": "scores",
    "baseline_score": "baseline_scores",
    "completeness_gap": "completeness_gap",
    "error": "error",
    "converged": "converged",
    "evaluations": "evaluations",
}
"""The columns of facts, and the fields they show."""


def to_frame(record: Record) -> Any:
    """Returns a DataFrame; `Attribution.to_frame` says of what form.

    Raises:
        MissingExtraError: pandas is not installed.
        InputError: A feature is called like a column of facts.
    """
    pandas = library("pandas", "to_frame")
    host = record.to_numpy()
    parts = axes.leaves(host)
    if len(parts) == 1 and parts[0][1].ndim == host.scores.ndim + 1:
        return _wide(pandas, host, parts[0][1])
    whole = pandas.concat([_long(pandas, host, *part) for part in parts], ignore_index=True)
    last = [name for name in ("word", "value", "standard_error") if name in whole]
    return whole[[name for name in whole if name not in last] + last]


def _wide(pandas: Any, record: Record, values: np.ndarray[Any, Any]) -> Any:
    (features,) = axes.inner(record, values.shape[-1:])
    kind = features.dim
    columns = [n if isinstance(n, str) else f"{kind}_{n}" for n in features.labels]
    facts = _facts(record)
    both = sorted(set(facts) & set(columns))
    if both:
        raise InputError(
            f"feature {both[0]!r} is called like a column of facts; expected other names for "
            f"{', '.join(facts)}: result.named(features=[...])"
        )
    index = pandas.MultiIndex.from_product(
        [axis.labels for axis in axes.outer(record)],
        names=[axis.dim for axis in axes.outer(record)],
    )
    if record.scores.ndim == 1:
        index = index.get_level_values(0)
    known = pandas.DataFrame({name: fact.ravel() for name, fact in facts.items()}, index=index)
    rows = values.reshape(-1, values.shape[-1])
    return pandas.concat([known, pandas.DataFrame(rows, index=index, columns=columns)], axis=1)


def _facts(record: Record) -> dict[str, np.ndarray[Any, Any]]:
    found = {name: getattr(record, field) for name, field in FACTS.items()}
    facts = {name: array for name, array in found.items() if array is not None}
    asked = axes.classes(record)
    return facts if asked is None else {"class": asked} | facts


def _long(
    pandas: Any,
    record: Record,
    name: str,
    values: np.ndarray[Any, Any],
    errors: np.ndarray[Any, Any] | None,
) -> Any:
    every = [*axes.outer(record), *axes.inner(record, values.shape[record.scores.ndim :])]
    index = pandas.MultiIndex.from_product(
        [axis.labels for axis in every], names=[axis.dim for axis in every]
    )
    frame = index.to_frame(index=False)
    if name != "values":
        frame.insert(0, "input", name.removeprefix("values"))
    if any(axis.dim == "token" for axis in every):
        frame["word"] = _words(record, values.shape)
    frame["value"] = values.ravel()
    if errors is not None:
        frame["standard_error"] = errors.ravel()
    return frame


def _words(record: Record, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The word of each entry of values (N, L, ...) or (T, N, L, ...)."""
    words = np.array(record.names.tokens if record.names else (), dtype=object)
    behind = shape[record.scores.ndim + 1 :]
    whole = words.reshape(*words.shape, *(1 for _ in behind))
    return np.broadcast_to(whole, shape).ravel()
