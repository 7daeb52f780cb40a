"""What a file has to hold to be a saved attribution: everything once per sample, as numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from polyattr.question.structure import flatten

_ALWAYS = ("scores", "error", "converged", "evaluations")
_SOMETIMES = ("baseline_scores", "completeness_gap")


def check_saved(values: Any, facts: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
    """Checks what was read against itself: a file may be whole and still not ours.

    Args:
        values: Arrays (N, ...) in their containers.
        facts: The other arrays by the names of `Attribution`, or None.
        meta: Settings that are no arrays.

    Raises:
        ValueError: Something is missing, has another shape or is of another kind.
    """
    scores = facts["scores"]
    if scores is None or scores.ndim != 1:
        raise ValueError("its scores are not one number per sample")
    for name in _ALWAYS + _SOMETIMES:
        array = facts[name]
        if array is None and name in _SOMETIMES:
            continue
        if array is None or array.dtype.kind not in "biuf" or array.shape != scores.shape:
            raise ValueError(f"its {name} are not one number per sample")
    leaves = flatten(values, "values")[1]
    if all(leaf is None for leaf in leaves):
        raise ValueError("its values are empty")
    _check_rows([*leaves, facts["targets"]], len(scores))
    texts = all(isinstance(meta[name], str) for name in ("method", "backend"))
    if not texts or not isinstance(meta["seed"], int | None):
        raise ValueError("its settings are not those of a method")


def _check_rows(rows: list[Any], n: int) -> None:
    for array in rows:
        if array is None or isinstance(array, str):  # targets that are no array
            continue
        if array.dtype.kind not in "biuf" or array.shape[:1] != (n,):
            raise ValueError("its values or targets do not belong to its samples")
