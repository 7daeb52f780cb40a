"""Answering one batch: what `attribute` tells, as columns with one entry per row."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Batch
from polyattr.errors import ConvergenceWarning, InputError, NonFiniteGradientWarning

Array = np.ndarray[Any, Any]

COLUMNS = (
    *("attribution", "score", "baseline_score", "gap", "error", "converged", "target", "id"),
)
"""What comes back for each row; "id" where rows have one."""


@dataclass(frozen=True)
class Answer:
    """The columns of a batch, and what is known beside them.

    Attributes:
        columns: By name, one entry per row.
        evaluations: (n,) gradient evaluations.
        facts: Text of the method, seed, backend and whether values have signs.
    """

    columns: dict[str, Array]
    evaluations: Array
    facts: dict[str, Any]


def answer(method: Any, batch: Batch, call: Mapping[str, Any]) -> Answer:
    """Explains a batch; rows that are not finite have NaN, and change nothing for the others.

    Args:
        method: An explainer.
        batch: At least one row.
        call: Arguments of `attribute`, without inputs.

    Raises:
        PolyattrError: As `attribute`.
    """
    inputs, lost = _mended(batch.inputs, method)
    given = dict(call)
    if batch.targets is not None:
        given["targets"] = batch.targets
    if method.has_own_draws:
        given["sample_ids"] = _draws_of(batch)
    with warnings.catch_warnings():
        # Told of once, for the whole set, instead of once per batch.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", NonFiniteGradientWarning)
        result = method.attribute(inputs, **given).to_numpy()
    if result.scores.ndim != 1 or not isinstance(result.values, np.ndarray):
        raise InputError(
            "the method answers with several maps for a row, of several targets or inputs; "
            "expected one: explain one target or one input at a time"
        )
    columns = _columns(result, batch.ids)
    for name in ("attribution", "score", "baseline_score", "gap", "error"):
        if lost.any():
            columns[name] = columns[name].copy()
            columns[name][lost] = np.nan
    columns["converged"] = columns["converged"] & ~lost
    facts = {
        "method": result.method,
        "seed": result.seed,
        "backend": result.backend,
        "signed": result.signed,
    }
    return Answer(columns, result.evaluations, facts)


def _mended(inputs: Array, method: Any) -> tuple[Array, Array]:
    """Puts a whole row in the place of each that has NaN or infinity, and says which those are.

    So every row is computed in a batch of the same shape, and rounded alike, whatever stands beside
    it.
    """
    lost: Array = np.zeros(len(inputs), bool)
    if inputs.dtype.kind != "f" or not _marks(method):
        return inputs, lost
    with np.errstate(all="ignore"):  # most batches are finite, and one sum tells
        if np.isfinite(inputs.sum(dtype=np.float64)):
            return inputs, lost
    lost = np.asarray(~np.isfinite(inputs).reshape(len(inputs), -1).all(axis=1))
    mended = inputs.copy()
    mended[lost] = 0 if lost.all() else inputs[np.argmin(lost)]
    return mended, lost


def _marks(method: Any) -> bool:
    inner = method.inner()
    return bool(method.on_nonfinite == "mark" if inner is None else _marks(inner))


def _draws_of(batch: Batch) -> Array:
    ids = batch.ids
    if ids is None or ids.dtype.kind not in "iu" or (len(ids) and ids.min() < 0):
        raise InputError(
            "each row has draws of its own (shared_draws=False), which belong to its id; expected "
            "ids that are whole numbers of at least 0: name their column with ids="
        )
    return ids


def _columns(result: Any, ids: Array | None) -> dict[str, Array]:
    n = len(result)
    unknown = np.full(n, np.nan)
    target = result.targets
    if not isinstance(target, np.ndarray) or target.dtype.kind not in "iu" or len(target) != n:
        target = np.full(n, -1)  # weights, a callable, or the score itself
    columns = {
        "attribution": np.ascontiguousarray(result.values),
        "score": result.scores.astype(np.float64),
        "baseline_score": _or(result.baseline_scores, unknown),
        "gap": _or(result.completeness_gap, unknown),
        "error": result.error.astype(np.float64),
        "converged": result.converged.astype(bool),
        "target": target.astype(np.int64),
    }
    return columns if ids is None else columns | {"id": ids}


def _or(known: Array | None, otherwise: Array) -> Array:
    return otherwise if known is None else known.astype(np.float64)
