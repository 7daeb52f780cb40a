"""Small operations outside of programs: by NumPy, where JAX would compile one for each shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

_MOST = 2**20
"""Numbers in an array that NumPy works on: on a CPU it takes as long, and nothing is compiled."""


def on_host(function: Callable[..., Any], *arrays: jax.Array) -> np.ndarray[Any, Any] | None:
    """Computes a function of arrays that moves numbers and changes none.

    It waits for arrays that are still being computed: by whether they are, a warm call would have
    to compile at one time what it had not at another.

    Args:
        function: Of NumPy arrays.
        arrays: What it takes.

    Returns:
        What it gives; None where JAX has to do it: arrays that are traced, large, on accelerators,
        on several devices, or of a kind NumPy does not have.
    """
    for array in arrays:
        if isinstance(array, jax.core.Tracer) or array.size > _MOST:
            return None
        # Keys of random numbers are no numbers, and have no kind of weakness either.
        if not jax.numpy.issubdtype(array.dtype, np.number) and array.dtype != np.bool_:
            return None
        if array.weak_type:
            return None
        devices = array.devices()
        if len(devices) != 1 or next(iter(devices)).platform != "cpu":
            return None
    found: np.ndarray[Any, Any] = function(*map(np.asarray, arrays))
    return found
