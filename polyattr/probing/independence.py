"""The check that a sample's score does not depend on the samples beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.errors import ModelOutputError
from polyattr.question.inputs import Inputs
from polyattr.scores.targets import Targets

Array = np.ndarray[Any, Any]


def check_rows(forward: Forward, inputs: Inputs, targets: Targets) -> bool:
    """Compares the scores of two samples, each beside itself, and together.

    Returns:
        Whether the check could be made: not where all there is is one sample of zeros.

    Raises:
        ModelOutputError: They differ, and not because the model is random.
    """
    partner = _partner(forward.backend, inputs)
    if partner is None:
        return False
    first, (second, other) = _take(inputs.leaves, 0), partner

    def scores(a: list[Tensor], b: list[Tensor], rows: tuple[int, int]) -> Array:
        return _scores(forward, inputs, targets, _pairs(forward.backend, a, b), rows)

    def alone() -> Array:
        beside = scores(first, first, (0, 0)), scores(second, second, (other, other))
        return np.array([beside[0][0], beside[1][1]])

    # Each beside itself, then together: a maximum over rows shows in one of the two only.
    apart, together = alone(), scores(first, second, (0, other))
    changed = _changed(apart, together, forward.backend.dtype(inputs.leaves[0]))
    if changed is None:
        return True
    steady = np.array_equal(apart, alone())
    if not steady or not np.array_equal(together, scores(first, second, (0, other))):
        return True  # random by itself: nothing can be said about rows
    raise ModelOutputError(
        f"a sample is scored {apart[changed]:.6g} beside itself and {together[changed]:.6g} beside "
        f"another sample; expected every sample to be scored on its own. Does the model normalise, "
        f"average or take a softmax over the first axis, or keep statistics of the batch?"
    )


def _partner(backend: GradBackend, inputs: Inputs) -> tuple[list[Tensor], int] | None:
    """Finds a sample unlike the first: the second, or half the first, on its path to zero."""
    first = _take(inputs.leaves, 0)
    second = _take(inputs.leaves, min(1, inputs.n - 1))
    if any(_unlike(backend, a, b) for a, b in zip(first, second, strict=True)):
        return second, 1
    half = [backend.cast(leaf * 0.5, backend.dtype(leaf)) for leaf in first]
    if any(_unlike(backend, a, b) for a, b in zip(first, half, strict=True)):
        return half, 0
    return None


def _take(leaves: list[Tensor], row: int) -> list[Tensor]:
    return [leaf[row : row + 1] for leaf in leaves]


def _unlike(backend: GradBackend, a: Tensor, b: Tensor) -> bool:
    return bool((backend.to_numpy(a) != backend.to_numpy(b)).any())


def _pairs(backend: GradBackend, first: list[Tensor], second: list[Tensor]) -> list[Tensor]:
    return [backend.concat([a, b]) for a, b in zip(first, second, strict=True)]


def _scores(
    forward: Forward, inputs: Inputs, targets: Targets, leaves: list[Tensor], rows: tuple[int, int]
) -> Array:
    backend = forward.backend

    def both(tensors: list[Tensor]) -> list[Tensor]:
        return _pairs(backend, _take(tensors, rows[0]), _take(tensors, rows[1]))

    pair = replace(inputs, leaves=leaves, n=2, companions=both(inputs.companions))
    goals = both(targets.columns)
    return forward.scores(leaves, pair, targets.rule, goals, None).astype(np.float64)


def _changed(alone: Array, together: Array, dtype: str) -> int | None:
    """Returns which of two scores changed, or None."""
    if not np.isfinite(alone).all():
        return None  # trouble of another kind, reported elsewhere
    scale = np.nanmax(np.abs(np.concatenate([alone, together])))
    steady = abs(alone - together) <= FLOATS[dtype].noticeable * scale
    return None if steady.all() else int(np.argmin(steady))
