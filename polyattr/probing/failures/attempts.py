"""Running the model where it may not run: what it returns, or nothing."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.engine.forward import Forward, row_taker
from polyattr.question.inputs import Inputs
from polyattr.question.structure import flatten

Array = np.ndarray[Any, Any]


def outline_rows(forward: Forward, inputs: Inputs, index: Array) -> int:
    """Counts the floating outputs with a row for each row of `index` (R,); 0 if it does not run."""
    try:
        arguments = _arguments(forward, inputs, index)
        found = forward.backend.outline(_returned(forward, inputs), *arguments)
    except Exception:  # whatever the model raises on arguments it does not take
        return 0
    return sum(tuple(leaf.shape[:1]) == index.shape for leaf in found)


def rows(forward: Forward, inputs: Inputs, index: Array) -> list[Array] | None:
    """Evaluates the floating outputs (R, ...) with a row for each row of `index` (R,).

    Returns:
        Copies on the host, or None where the model does not run or has no such output.
    """
    try:
        return evaluated(forward, inputs, index)
    except Exception:  # whatever the model raises on arguments it does not take
        return None


def evaluated(forward: Forward, inputs: Inputs, index: Array) -> list[Array] | None:
    """Evaluates like `rows`, and waits for the device: what goes wrong there is raised here.

    Raises:
        Exception: Whatever the model raises.
    """
    found = _returned(forward, inputs)(*_arguments(forward, inputs, index))
    kept = [leaf for leaf in found if tuple(leaf.shape[:1]) == index.shape]
    return [forward.backend.to_numpy(leaf) for leaf in kept] or None


def runs(forward: Forward, inputs: Inputs) -> bool:
    """Says whether the model returns numbers for inputs as they are, whatever their first axis."""
    try:
        state, context = forward.scorer.bound.state(), inputs.context([])
        return bool(_returned(forward, inputs)(state, inputs.leaves, context))
    except Exception:  # whatever the model raises on arguments it does not take
        return False


def _returned(forward: Forward, inputs: Inputs) -> Any:
    """Returns a function from state, rows and context to the floating outputs."""
    scorer = forward.scorer

    def run(state: Any, leaves: list[Any], context: Any) -> list[Any]:
        found = flatten(scorer.returned(inputs.layout, state, leaves, context), "")[1]
        return [leaf for leaf in found if scorer.taps.is_floating(leaf)]

    return run


def _arguments(forward: Forward, inputs: Inputs, index: Array) -> tuple[Any, Any, Any]:
    take = row_taker(forward.backend, index)
    context = inputs.context([]).rows(take)
    return forward.scorer.bound.state(), take(inputs.leaves), context
