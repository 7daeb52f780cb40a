"""A model in NumPy, for the methods in NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Scored(NamedTuple):
    """What a method asks a model for.

    Attributes:
        score: Maps points (N, ...) to scores (N,).
        gradient: Maps points (N, ...) to the gradients of the scores there, (N, ...).
    """

    score: Callable[[Array], Array]
    gradient: Callable[[Array], Array]
