"""How many rows a model takes, where it has one number written into it: found by trying."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, TypeVar

from polyattr.engine.forward import Forward
from polyattr.errors import ModelOutputError, PolyattrError
from polyattr.probing.rows.compared import numbers_at
from polyattr.question.inputs import Inputs
from polyattr.scores.fitting import about_shapes

Found = TypeVar("Found")

_USUAL = (1, 4, 8, 16, 32, 64, 10, 20, 3, 5)
_MOST, _LARGEST = 20, 1024


class OtherRowsError(ModelOutputError):
    """Rows in are not rows out.

    Args:
        message: Says so.
        shape: What came out.
        rows: How many went in.
    """

    def __init__(self, message: str, shape: tuple[int, ...], rows: int) -> None:
        super().__init__(message)
        self.shape, self.rows = shape, rows

    def is_block(self, found: Any) -> bool:
        """Says whether outputs (R, *found) are cut into R rows, rather than always R of them."""
        return bool(math.prod(self.shape) == self.rows * math.prod(found[0]))


def with_fitting_rows(forward: Forward, n: int, run: Callable[[], Found]) -> Found:
    """Runs what tries the model on two rows; where it fails, on other numbers of rows.

    Args:
        forward: Evaluates the model; the number of rows it takes is set there.
        n: Number of samples.
        run: Runs the trial.

    Returns:
        What `run` returns.

    Raises:
        Exception: That of the first run, if no number is the right one.
    """
    fitting = forward.scorer.fitting
    try:
        return run()
    except Exception as error:
        if fitting.rows is not None or forward.scorer.bound.most_rows is not None:
            raise
        tried = _candidates(error, fitting.wish, n)
        for rows in tried:
            if (found := _tried(forward, error, rows, run)) is not None:
                return found
        if tried and not isinstance(error, PolyattrError):
            error.add_note(
                f"polyattr also tried {', '.join(map(str, tried))} rows at a time; if the model "
                f"takes one number of rows only, name it with batch_size="
            )
        if isinstance(error, OtherRowsError):
            raise ModelOutputError(str(error)) from None
        raise


def _tried(forward: Forward, error: Exception, rows: int, run: Callable[[], Found]) -> Found | None:
    """Returns what `run` returns on so many rows, if their number is why it failed with `error`."""
    fitting = forward.scorer.fitting
    fitting.rows = rows
    forward.kernels.clear()
    forward.scorer.guard.begin()
    try:
        found = run()
        why = _is_why(forward, error, found, run)
    except Exception:  # the first error is the one to tell of
        why = False
    fitting.rows = rows if why else None
    if not why:
        return None
    forward.kernels.clear()
    return found


def _is_why(forward: Forward, error: Exception, found: Any, run: Callable[[], Any]) -> bool:
    """Says whether the number of rows is why a trial failed that now has `found` something."""
    if isinstance(error, OtherRowsError):
        return error.is_block(found)
    forward.scorer.fitting.rows = None
    forward.kernels.clear()  # what was compiled has the other number of rows in it
    forward.scorer.guard.begin()
    try:
        run()
    except Exception:
        return True
    return False  # it would not fail again: the error was of another kind


def _candidates(error: Exception, wish: object, n: int) -> list[int]:
    """Lists what was asked for, numbers in the message, those the model compares, the usual ones.

    What runs only on all rows there are is more likely one sample, such as the nodes of a graph.
    """
    if isinstance(error, OtherRowsError):
        return [rows for rows in error.shape[:1] if rows > 0]
    if isinstance(error, PolyattrError) or not about_shapes(error):
        return []
    named = [int(number) for number in re.findall(r"\d{1,4}", str(error))]
    usual = [rows for rows in _USUAL if rows != n]
    asked = [wish] if isinstance(wish, int) else []
    every = dict.fromkeys([*asked, *named, *numbers_at(error), *usual])
    return [rows for rows in every if 1 <= rows <= _LARGEST and rows != 2][:_MOST]


def outline_output(forward: Forward, inputs: Inputs) -> tuple[tuple[int, ...], str]:
    """Finds the shape of one sample's output and its dtype.

    Raises:
        ModelOutputError: Rows in are not rows out.
    """
    scorer = forward.scorer
    x, context = inputs.first_rows([])
    rows = int(x[0].shape[0])
    outputs = forward.backend.outline(
        lambda state, leaves, beside: forward.backend.value(
            lambda rows: scorer.outputs(inputs.layout, state, rows, beside), leaves
        ),
        scorer.bound.state(),
        x,
        context,
    )
    shape = tuple(int(size) for size in outputs.shape)
    if shape[:1] != (rows,):
        raise OtherRowsError(
            f"the model returned shape {shape} when tried on {rows} samples; expected one row "
            f"per sample, ({rows}, ...): every sample must be scored on its own"
            f"{scorer.bound.advice(inputs.layout.kwargs.keys)}",
            shape,
            rows,
        )
    return shape[1:], forward.backend.dtype(outputs)
