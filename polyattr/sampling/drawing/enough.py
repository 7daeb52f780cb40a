"""Draws in rounds: each sample takes as many as its own map needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_count
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.recipe import Array, Rounds
from polyattr.sampling.rows import Rows

GROUPS = 8
"""Groups a standard error is taken between. It is then itself uncertain by about a quarter per
feature, and far less once summed over features; more groups would cost more memory."""

FEWEST_DRAWS = 32
"""Of the first round. With 16, an error that is too small by chance ends one sample in ten of four
features early; with 32, one in thirty."""

MOST_DRAWS = 1024

_AHEAD = 1.05
"""How much more than the error so far asks for is drawn, so that few samples miss it narrowly."""

_GROWTH = 4.0
"""How many times as many draws a round may bring: what a few draws say of the error is not sure."""

Numbered = Callable[[Array, Array], Rows[Array]]
"""Makes the rows of samples (R,) with numbers (R,), which belong to group ``number % GROUPS``."""


def enough(n: int, norm: Norm, tolerance: float, most: int, unit: int, make: Numbered) -> Rounds:
    """Draws until the relative standard error of each sample's map is within the tolerance.

    Args:
        n: Number of samples.
        norm: Tells the relative error of each map.
        tolerance: The error at which a sample leaves.
        most: Most rows of a sample.
        unit: Rows that come together, so that all groups stay equally large.
        make: Makes the rows.

    Returns:
        A generator of rounds; a sample that is near enough is left out of later ones. How many rows
        the next one brings is read off the error, which falls as the root of their number.
    """
    most = most // unit * unit
    have, want = np.zeros(n, dtype=np.int64), np.full(n, min(FEWEST_DRAWS, most))
    live = np.arange(n)
    while True:
        yield _between(live, have[live], want[live], make)
        have = want.copy()
        weights = equal_groups(have)
        off = norm.error(weights)
        # What is not finite leaves too: the engine names it.
        live = np.flatnonzero((off > tolerance) & (have < most) & np.isin(np.arange(n), live))
        if not len(live):
            return weights
        with np.errstate(divide="ignore", over="ignore"):
            growth = np.clip(_AHEAD * (off[live] / tolerance) ** 2, 1.0, _GROWTH)
        more = np.ceil((growth - 1) * have[live] / unit).clip(1).astype(np.int64)
        want[live] = np.minimum(have[live] + more * unit, most)
        if not norm.allows(int((want - have).sum())):
            return weights


def equal_groups(rows: Array) -> Weights:
    """Weights of equally large groups of `rows` (N,) in all, each of weight 1: mean and spread."""
    each = 1.0 / rows[:, None]
    value = np.repeat(each, GROUPS, axis=1)
    others = tuple(GROUPS * each * unit for unit in np.eye(GROUPS))
    return Weights(value, others, (1 / (GROUPS * (GROUPS - 1)),) * GROUPS)


def check_draws(count: object, most: int, tolerance: float | None, least: int = 1) -> Any:
    """Checks how many draws are asked for: a number of at least `least`, or "auto".

    Args:
        count: As the user gave it.
        most: Most of them with "auto".
        tolerance: Relative error to stop at, or to warn above.
        least: Fewest of them.

    Returns:
        The number, or "auto", and the tolerance: 0.05 where "auto" was given none.

    Raises:
        InputTypeError: Neither a whole number nor "auto".
        InputError: Too few.
    """
    if not isinstance(count, str):
        return check_count("nb_samples", count, least), tolerance
    if count != "auto":
        raise InputTypeError(f"nb_samples is {count!r}; expected an int, or 'auto'")
    if most < FEWEST_DRAWS:
        raise InputError(
            f"max_samples is {most}; expected at least {FEWEST_DRAWS}, of which nb_samples='auto' "
            f"takes the first error. For fewer, give nb_samples a number"
        )
    return "auto", 0.05 if tolerance is None else tolerance


def _between(live: Array, first: Array, stop: Array, make: Numbered) -> Rows[Array]:
    """Rows numbered from `first` to `stop` (M,) of the samples `live` (M,), in that order."""
    each = stop - first
    sample = np.repeat(live, each)
    number = np.arange(len(sample)) - np.repeat(np.cumsum(each) - each - first, each)
    # Rows of the same number side by side: they share a draw.
    order = np.lexsort((sample, number))
    return make(sample[order], number[order])
