"""A result as an Explanation of shap."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.results.exports import axes
from polyattr.results.exports.optional import library
from polyattr.results.record import Record


def to_shap(record: Record) -> Any:
    """Returns a `shap.Explanation`; `Attribution.to_shap` says what is in it.

    Raises:
        MissingExtraError: shap is not installed.
        InputError: There are several inputs.
    """
    shap = library("shap", "to_shap")
    host = record.to_numpy()
    values, base = np.asarray(host), host.baseline_scores
    features, words = axes.named(host, "features"), axes.named(host, "tokens")
    known: dict[str, Any] = {"data": host.inputs}
    if features is not None and values.ndim == host.scores.ndim + 1:
        known["feature_names"] = list(features)
    if words is not None:  # words stand for what was explained
        known["data"] = np.array(words, dtype=object)
        if values.ndim == host.scores.ndim + 2:
            values = values.sum(axis=-1)
    if host.scores.ndim == 2:  # there outputs are the last axis
        values = np.moveaxis(values, 0, -1)
        base = None if base is None else base.T
        known["output_names"] = [str(name) for name in axes.targets(host)]
    return shap.Explanation(values, base_values=base, **known)
