"""Expectations, as functions: they hold under ``python -O`` and say what was compared."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def true(condition: object, message: str) -> None:
    """Fails with the message unless the condition holds.

    Raises:
        AssertionError: It does not hold.
    """
    if not condition:
        raise AssertionError(message)


def equal(actual: Any, expected: Any, what: str) -> None:
    """Fails unless two plain values are equal.

    Raises:
        AssertionError: They differ.
    """
    true(actual == expected, f"{what}: got {actual!r}, expected {expected!r}")


def same(actual: Any, expected: Any, what: str) -> None:
    """Fails unless two arrays agree in shape and in every bit of every entry.

    Raises:
        AssertionError: They differ.
    """
    found, wanted = np.asarray(actual), np.asarray(expected)
    equal(found.shape, wanted.shape, f"shape of {what}")
    true(np.array_equal(found, wanted), f"{what}: got\n{found}\nexpected exactly\n{wanted}")


def close(actual: Any, expected: Any, relative: float, what: str) -> None:
    """Fails unless two arrays differ by at most `relative` times the largest expected entry.

    Raises:
        AssertionError: They differ by more, or the expectation is zero throughout: `same` is the
            way to say that, since no fraction of zero is meant.
    """
    found, wanted = np.asarray(actual, np.float64), np.asarray(expected, np.float64)
    equal(found.shape, wanted.shape, f"shape of {what}")
    true(np.isfinite(found).all(), f"{what} is not finite:\n{found}")
    largest = float(np.abs(wanted).max())
    true(largest > 0, f"{what}: nothing can be close to zeros alone")
    off = float(np.abs(found - wanted).max()) / largest
    true(
        off <= relative,
        f"{what} is off by {off:.3g} of its largest entry, allowed is {relative:.3g}: got\n{found}"
        f"\nexpected\n{wanted}",
    )
