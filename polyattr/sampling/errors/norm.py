"""How running sums make a map, and what can be asked about it between rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.sampling.errors.intervals import Intervals, Kinks

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Weights:
    """How the running sums of a sample make its statistic, and how far it may be off.

    The statistic is W . parts. Its squared error is the sum over k of
    ``scale[k] * (value - W_k . parts)**2``, each taken after `Recipe.finish`: with the weights of a
    coarser rule as the only W_k the difference of two nested estimates, with those of independent
    groups the variance of their mean.

    Attributes:
        value: (G,) weight of each part, or (N, G) where samples differ.
        others: Weights of other estimates of the same quantity, each in the shape of `value`.
        scale: Factor of each other estimate's squared distance.
        smooth: Where the rows have `width` and the statistic is of `Neighbours`: how many times the
            distance to the coarser rule exceeds the error on smooth integrands; None for others.
        kinks: Where each part holds the gradient at one point: what they tell of the error.

    Example:
        >>> import numpy as np, polyattr
        >>> polyattr.Weights(np.array([0.5, 0.5]), (np.array([1.0, 0.0]),), (1.0,)).scale
        (1.0,)
    """

    value: Array
    others: tuple[Array, ...] = ()
    scale: tuple[float, ...] = ()
    smooth: float | None = None
    kinks: Kinks | None = None


class Norm:
    """Tells how large maps are, and how far off; waits for the device.

    The base knows nothing: as before the first round.

    Example:
        >>> import numpy as np
        >>> from polyattr.sampling import Norm
        >>> Norm()(np.ones((2, 1)))
        array([nan, nan])
    """

    complete: bool = True
    """Whether the attributions of a sample are meant to sum to the rise of the score."""

    def allows(self, rows: int) -> bool:
        """Says whether there is time for another round of so many `rows`."""
        return True

    def __call__(self, weights: Array) -> Array:
        """Returns the Euclidean norm (N,) of the attributions that `weights` (N, G) give now."""
        return np.full(len(weights), np.nan)

    def error(self, weights: Weights) -> Array:
        """Returns the relative error (N,) of the attributions that `weights` give now.

        The L1 error that their standard errors lead to expect, over the L1 norm.
        """
        return np.full(len(weights.value), np.nan)

    def size(self, weights: Array) -> Array:
        """Returns the summed magnitude (N,) of the attributions that `weights` (N, G) give now."""
        return np.full(len(weights), np.nan)

    def jumps(self, intervals: Intervals) -> Array:
        """Returns how far the parts at both ends of `intervals` are apart, times the width (I,)."""
        return np.full(len(intervals.sample), np.nan)

    def roots(self, intervals: Intervals, unit: Array) -> Array:
        """Returns the summed root mean square (N,) of what kinks in the `intervals` leave.

        `unit` (N,) is about how large the jumps of a sample are in all.
        """
        return np.full(len(unit), np.nan)
