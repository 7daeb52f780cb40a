"""Neighbouring points of a path whose gradients are kept until all of them are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from polyattr.backend import Tensor

Array = np.ndarray[Any, Any]


class Intervals(NamedTuple):
    """Pieces of the samples' paths, between two running sums that hold a gradient each.

    Attributes:
        sample: (I,) the sample of each piece.
        left: (I,) the part that holds the gradient at its start.
        right: (I,) that at its end.
        width: (I,) its share of the path.

    Example:
        >>> import numpy as np
        >>> from polyattr.sampling import Intervals
        >>> one = np.zeros(1, dtype=int)
        >>> Intervals(one, one, one + 1, np.ones(1)).width
        array([1.])
    """

    sample: Array
    left: Array
    right: Array
    width: Array


class Kinks(NamedTuple):
    """What the gradients kept at both ends of intervals tell about the error of a map.

    Attributes:
        intervals: All pieces of the paths.
        jumps: (N,) by how much gradients differ over them, times their width, summed.
        share: (N,) which part of the error that kinks would leave is taken for the true one.
    """

    intervals: Intervals
    jumps: Array
    share: Array


@dataclass(frozen=True)
class Jumps:
    """What neighbours on a path tell about the error of the integrals of one input.

    Attributes:
        root: (M, ...) root mean square of what kinks at unknown places leave.
        moved: (M,) summed distance to the integrals by a coarser rule.
        bound: (M,) the most that one kink between any two neighbours leaves, summed.
    """

    root: Tensor
    moved: Tensor
    bound: Tensor
