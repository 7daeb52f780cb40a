"""Quadrature rules on [0, 1]: nodes and weights, planned on the host in float64.

All weights sum to 1, so that a linear model is integrated exactly by every rule. Nodes and weights
follow the standard texts: Davis & Rabinowitz, Methods of Numerical Integration (1984), chapter 2;
Clenshaw & Curtis, Numerische Mathematik 2 (1960).
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from polyattr.errors import InputError, nearest
from polyattr.question.checks import check_count

Array = np.ndarray[Any, np.dtype[np.float64]]


INSIDE = 0.01
"""How far inside a path its start is taken, in units of the first interval between nodes.

The integrand at alpha = 0 is the limit from inside: at the baseline itself, often all zeros, every
ReLU of a bias-free network sits on its kink and every max-pool window is a tie, and the gradient
there is a convention that would leave a trapezoid of 50 points 1% short. Nearer than this, rounding
decides the ties, and where a network normalises or takes a logarithm the gradient is thousands of
times what it is anywhere else in the interval.
"""


@dataclass(frozen=True)
class Rule:
    """One quadrature rule.

    Attributes:
        nodes: Maps the number of points to nodes and unnormalised weights.
        minimum: The smallest number of points the rule is defined for.
        through: How many nodes the value at 0 is continued from, where that is taken inside: as
            many as leave the rule its order. One, the value itself, for those of low order.
        fill: How a coarser rule on some of the nodes fills the gaps between them.
        smooth: How many times the distance to that rule exceeds the error on smooth integrands, at
            least.
    """

    nodes: Callable[[int], tuple[Array, Array]]
    minimum: int = 1
    through: int = 1
    fill: Callable[[Array], Array] = field(default_factory=lambda: _lines)
    smooth: float = math.inf


def _left(n: int) -> tuple[Array, Array]:
    return np.arange(n) / n, np.ones(n)


def _right(n: int) -> tuple[Array, Array]:
    return np.arange(1, n + 1) / n, np.ones(n)


def _midpoint(n: int) -> tuple[Array, Array]:
    return (np.arange(n) + 0.5) / n, np.ones(n)


def _trapezoid(n: int) -> tuple[Array, Array]:
    weights = np.ones(n)
    weights[[0, -1]] = 0.5
    return np.linspace(0.0, 1.0, n), weights


def _simpson(n: int) -> tuple[Array, Array]:
    # An even number of points leaves an odd number of intervals: the last three of them take
    # Simpson's 3/8 rule, which has the same order.
    weights = np.zeros(n)
    thirds = n if n % 2 else n - 3
    for start in range(0, thirds - 2, 2):
        weights[start : start + 3] += np.array([1.0, 4.0, 1.0]) / 3
    if n % 2 == 0:
        weights[-4:] += np.array([1.0, 3.0, 3.0, 1.0]) * 3 / 8
    return np.linspace(0.0, 1.0, n), weights


def _gauss_legendre(n: int) -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights


def _clenshaw_curtis(n: int) -> tuple[Array, Array]:
    m = n - 1
    theta = np.arange(n) * np.pi / m
    weights = np.ones(n)
    for j in range(1, m // 2 + 1):
        factor = 1.0 if 2 * j == m else 2.0
        weights -= factor / (4 * j * j - 1) * np.cos(2 * j * theta)
    weights[[0, -1]] /= 2
    nodes = (1 - np.cos(theta)) / 2
    nodes[-1] = 1.0
    return nodes, weights


def _from_left(nodes: Array) -> Array:
    return np.diff(np.append([0.0, *nodes[1:]], 1.0))


def _from_right(nodes: Array) -> Array:
    return np.diff(nodes, prepend=0.0)


def _lines(nodes: Array) -> Array:
    """Weights of the straight lines between neighbours, the outer ones continued to the ends."""
    h = np.diff(nodes)
    weights = np.zeros(len(nodes))
    weights[1:] += h / 2
    weights[:-1] += h / 2
    for end, a, b in ((nodes[0], 0, 1), (1 - nodes[-1], -1, -2)):
        slope = end**2 / (2 * abs(nodes[b] - nodes[a]))
        weights[a] += end + slope
        weights[b] -= slope
    return weights


def _cubics(nodes: Array) -> Array:
    """Weights of the cubic through the four nodes nearest to each interval, ends included."""
    count, most = len(nodes), min(4, len(nodes))
    edges = np.concatenate([[0.0], nodes[1:-1], [1.0]])
    weights = np.zeros(count)
    for k, (a, b) in enumerate(itertools.pairwise(edges)):
        first = min(max(k - 1, 0), count - most)
        near = nodes[first : first + most]
        # In units of the interval, which is [-1, 1] there.
        powers = np.vander((2 * near - a - b) / (b - a), most, increasing=True)
        moments = np.array([2 / (p + 1) if p % 2 == 0 else 0.0 for p in range(most)])
        weights[first : first + most] += np.linalg.solve(powers.T, moments) * (b - a) / 2
    return weights


def _polynomial(nodes: Array) -> Array:
    """Weights of the polynomial through all nodes."""
    values = np.polynomial.legendre.legvander(2 * nodes - 1, len(nodes) - 1)
    return np.linalg.solve(values.T, np.eye(len(nodes))[0])


# The distance of two trapezoids, the second with intervals twice as wide, is three times the error
# of the first, that of a midpoint rule from such a trapezoid nine times, and of rules of the fourth
# order fifteen times; less a margin.
RULES: dict[str, Rule] = {
    "left": Rule(_left, fill=_from_left, smooth=1.0),
    "right": Rule(_right, fill=_from_right, smooth=1.0),
    "midpoint": Rule(_midpoint, smooth=7.0),
    "trapezoid": Rule(_trapezoid, minimum=2, smooth=2.5),
    "simpson": Rule(_simpson, minimum=3, through=4, fill=_cubics, smooth=10.0),
    "gauss-legendre": Rule(_gauss_legendre, fill=_polynomial),
    "clenshaw-curtis": Rule(_clenshaw_curtis, minimum=2, through=sys.maxsize, fill=_polynomial),
}
"""The quadrature rules of `IntegratedGradients`, by the name that `rule` takes."""


def check_rule(rule: object, steps: object) -> int:
    """Checks a rule's name and its number of points, and returns the number as an int.

    Args:
        rule: A name in `RULES`.
        steps: Number of points.

    Returns:
        The number of points.

    Raises:
        InputError: Unknown rule, or fewer steps than it is defined for.
        InputTypeError: `steps` is no whole number.

    Example:
        >>> from polyattr.sampling import check_rule
        >>> check_rule("simpson", 3)
        3
    """
    if not isinstance(rule, str) or rule not in RULES:
        raise InputError(
            f"rule is {rule!r}; expected one of {', '.join(RULES)}, or exact for networks that are "
            f"piecewise linear.{nearest(rule, [*RULES, 'exact'])}"
        )
    least = RULES[rule].minimum
    try:
        return check_count("steps", steps, least)
    except InputError:
        raise InputError(
            f"steps is {steps}; the {rule} rule needs at least {least} points"
        ) from None


def quadrature(rule: str, steps: int) -> tuple[Array, Array]:
    """Returns nodes in [0, 1] and weights that sum to 1, both float64 of shape (steps,).

    Args:
        rule: A name in `RULES`.
        steps: Number of points, ends included where the rule visits them.

    Example:
        >>> from polyattr.sampling import quadrature
        >>> quadrature("trapezoid", 3)
        (array([0. , 0.5, 1. ]), array([0.25, 0.5 , 0.25]))
    """
    return _remembered(rule, steps)


def coarser_weights(rule: str, nodes: Array) -> Array | None:
    """Returns the weights (P,) of a rule on every other node, or None for too few nodes.

    Args:
        rule: A name in `RULES`.
        nodes: (P,) where the nodes are taken, ascending.
    """
    count = len(nodes)
    if count < 3:
        return None
    ends = nodes[-1] == 1.0 and rule != "left"
    chosen = np.arange(count)[::2]
    if rule == "right":
        chosen = np.arange(count)[::-2][::-1]
    elif ends and chosen[-1] != count - 1:
        chosen = np.append(chosen, count - 1)
    weights = np.zeros(count)
    weights[chosen] = RULES[rule].fill(nodes[chosen])
    return weights


def from_inside(nodes: Array, weights: Array, inside: float, through: int) -> Array:
    """Returns the weights of a rule whose node at 0 is taken a little inside instead.

    The value at 0 is that of the polynomial through the first nodes as they are taken. The weights
    still sum to 1.

    Args:
        nodes: (P,) ascending, the first of them 0.
        weights: (P,) of these nodes.
        inside: Where the first node is taken.
        through: How many nodes the polynomial goes through, if there are as many.
    """
    if through == 1:
        return weights
    at = np.array([inside, *nodes[1:through]])
    others = at[:, None] - at + np.eye(len(at))
    lagrange = np.prod(np.where(np.eye(len(at)) == 1, 1.0, -at / others), axis=1)
    moved = weights.copy()
    moved[0] = 0.0
    moved[: len(at)] += weights[0] * lagrange
    return moved


@lru_cache(maxsize=64)
def _remembered(rule: str, steps: int) -> tuple[Array, Array]:
    nodes, weights = RULES[rule].nodes(steps)
    weights = weights / math.fsum(weights)
    for shared in (nodes, weights):
        shared.setflags(write=False)
    return nodes, weights


def inside_of(nodes: Array) -> float:
    """A hundredth of the first interval between nodes (P,)."""
    return INSIDE * float([0.0, *nodes[1:2], 1.0][1])


@lru_cache(maxsize=64)
def planned(rule: str, steps: int) -> dict[str, Array]:
    """Returns the columns (P,) of a rule's table, and where its nodes are taken."""
    nodes, weights = quadrature(rule, steps)
    taken = np.where(nodes == 0, inside_of(nodes), nodes)
    if nodes[0] == 0:
        weights = from_inside(nodes, weights, taken[0], RULES[rule].through)
    columns = {
        "weight": weights,
        "alpha": nodes,
        "width": np.diff(taken, prepend=taken[0]),
        "coarser": coarser_weights(rule, taken),
        "taken": taken,
    }
    present = {name: values for name, values in columns.items() if values is not None}
    for values in present.values():
        values.setflags(write=False)
    return present
