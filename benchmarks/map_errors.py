"""How far maps of Integrated Gradients are off, and say they are, at what price.

A `Way` is anything that makes a method for a budget: a rule at so many points, or a tolerance. Each
gives one `Cell` per network and budget, which holds a number for every sample.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import polyattr
from polyattr.sampling import RULES
from trained_networks import Case

Array = np.ndarray[Any, np.dtype[np.float64]]

SMOOTH_POINTS = 256
POINTS = (9, 17, 33, 65)
"""Evaluations per sample that fixed rules are given."""


@dataclass(frozen=True)
class Way:
    """One way of integrating.

    Attributes:
        name: What tables call it.
        method: Makes the method for a model and a budget.
        budgets: What it is tried with: numbers of points, or tolerances.
        fixed: Whether a budget is the number of evaluations: these are compared with hindsight.
    """

    name: str
    method: Callable[[Any, float], Any]
    budgets: Sequence[float] = POINTS
    fixed: bool = True


def rule(name: str) -> Way:
    """A fixed rule."""

    def method(model: Any, points: float) -> Any:
        return polyattr.IntegratedGradients(model, steps=int(points), rule=name)

    return Way(name, method)


TOLERANCES = (0.05, 0.02, 0.01, 0.005, 0.002)
"""Errors that points are chosen for."""


def _chosen(model: Any, tolerance: float) -> Any:
    return polyattr.IntegratedGradients(model, steps="auto", tolerance=tolerance)


WAYS = (*map(rule, RULES), Way("auto", _chosen, TOLERANCES, fixed=False))
"""All fixed rules, and the points that polyattr chooses itself."""


@dataclass(frozen=True)
class Cell:
    """One way, with one budget, on one network: lists have a number per sample.

    Attributes:
        network: Name of the network.
        data: Name of its data set.
        way: Name of the way.
        fixed: Whether it is a fixed rule.
        budget: Its points or tolerance.
        evaluations: Gradient evaluations.
        error: L1 distance from the true map, relative to the size of that.
        stated: What `Attribution.error` says of it; NaN where it says nothing.
        bound: What `Attribution.bound` says.
        gap: The completeness gap, relative to the size of the true map.
        covered: Part of the features off the baseline that lie within one standard error; NaN
            without.
    """

    network: str
    data: str
    way: str
    fixed: bool
    budget: float
    evaluations: list[float]
    error: list[float]
    stated: list[float]
    bound: list[float]
    gap: list[float]
    covered: list[float]

    @property
    def median(self) -> float:
        """The median error."""
        return float(np.median(self.error))


@dataclass(frozen=True)
class Truth:
    """The map all others are measured against.

    Attributes:
        values: (N, F).
        points: By how many midpoints, or compared with how many.
        unsure: How far half as many midpoints are off, in the median, relative to its size; where
            the network is smooth, how far the midpoints are.
    """

    values: Array
    points: int
    unsure: float

    @property
    def size(self) -> Array:
        """(N,) its L1 norm."""
        size: Array = np.abs(self.values).sum(axis=1)
        return size


def truth(case: Case, points: int) -> Truth:
    """Integrates by so many midpoints; what is smooth by Gauss, to rounding.

    Midpoints of a smooth function are 1e-8 off, which is more than the errors of good rules.
    """
    midpoints = _integrated(case, points, "midpoint")
    if case.smooth:
        best, other = _integrated(case, SMOOTH_POINTS, "gauss-legendre"), midpoints
    else:
        best, other = midpoints, _integrated(case, points // 2, "midpoint")
    apart = np.abs(best - other).sum(axis=1) / np.abs(best).sum(axis=1)
    return Truth(best, points, float(np.median(apart)))


def _integrated(case: Case, steps: int, name: str) -> Array:
    method = polyattr.IntegratedGradients(case.model, steps=steps, rule=name)
    values: Array = _attributed(method, case).values.numpy()
    return values


def measure(case: Case, true: Truth, way: Way, budget: float) -> Cell:
    """Tries one way with one budget on all samples of a case."""
    result = _attributed(way.method(case.model, budget), case)
    off = np.abs(result.values.numpy() - true.values)
    unknown = np.full(len(off), np.nan)
    gap = unknown if result.completeness_gap is None else np.abs(result.completeness_gap)
    spread = result.standard_error
    moved = case.x.numpy() != 0  # others have no attribution, and no error
    within = unknown
    if spread is not None:
        within = ((off <= spread.numpy()) & moved).sum(axis=1) / moved.sum(axis=1)
    bound = getattr(result, "bound", None)
    return Cell(
        case.network,
        case.data,
        way.name,
        way.fixed,
        budget,
        result.evaluations.astype(float).tolist(),
        (off.sum(axis=1) / true.size).tolist(),
        np.asarray(result.error, float).tolist(),
        (unknown if bound is None else np.asarray(bound, float)).tolist(),
        (gap / true.size).tolist(),
        np.asarray(within, float).tolist(),
    )


def _attributed(method: Any, case: Case) -> Any:
    with warnings.catch_warnings():  # of what has not converged: that is what is measured
        warnings.simplefilter("ignore", polyattr.PolyattrWarning)
        return method.attribute(case.x, case.targets)
