"""Quadrature rules: weights, nodes and the polynomials they integrate exactly."""

import math

import numpy as np
import pytest

from polyattr.sampling import FixedNodes, StraightPath
from polyattr.sampling.quadrature import RULES, quadrature

EVERY = {
    "left": 1,
    "right": 1,
    "midpoint": 1,
    "trapezoid": 2,
    "simpson": 3,
    "gauss-legendre": 1,
    "clenshaw-curtis": 2,
}


def test_the_seven_rules_and_their_minima():
    assert {name: rule.minimum for name, rule in RULES.items()} == EVERY


@pytest.mark.parametrize("rule", EVERY)
def test_weights_sum_to_one_and_nodes_ascend_within_the_path(rule):
    for n in range(EVERY[rule], 101):
        nodes, weights = quadrature(rule, n)
        assert nodes.shape == weights.shape == (n,)
        assert nodes.dtype == weights.dtype == np.float64
        assert abs(math.fsum(weights) - 1) <= 1e-12
        assert weights.min() > 0
        assert nodes.min() >= 0
        assert nodes.max() <= 1
        assert (np.diff(nodes) > 0).all()


@pytest.mark.parametrize(
    ("rule", "first", "last"),
    [
        ("left", True, False),
        ("right", False, True),
        ("midpoint", False, False),
        ("trapezoid", True, True),
        ("simpson", True, True),
        ("gauss-legendre", False, False),
        ("clenshaw-curtis", True, True),
    ],
)
def test_which_ends_are_visited_exactly(rule, first, last):
    for n in range(EVERY[rule] + 1, 101):
        nodes, _ = quadrature(rule, n)
        assert (nodes[0] == 0, nodes[-1] == 1) == (first, last)
        path = StraightPath(nodes=FixedNodes(n, rule))
        hits = np.flatnonzero(path.at_input(path.table(1)))
        assert hits.tolist() == ([n - 1] if last else [])


def degree(rule, n):
    """The largest degree whose integral over [0, 1] the rule gets right, with all below it."""
    nodes, weights = quadrature(rule, n)
    k = 0
    while k < 40 and abs(math.fsum(weights * nodes**k) - 1 / (k + 1)) <= 1e-13:
        k += 1
    return k - 1


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("left", lambda n: 0),
        ("right", lambda n: 0),
        ("midpoint", lambda n: 1),
        ("trapezoid", lambda n: 1),
        ("simpson", lambda n: 3),
        ("gauss-legendre", lambda n: 2 * n - 1),
        # By symmetry, an odd number of points gains one degree.
        ("clenshaw-curtis", lambda n: n if n % 2 else n - 1),
    ],
)
def test_degrees_of_exactness(rule, expected):
    for n in range(EVERY[rule] + 1, 11):  # beyond, the next degree misses by rounding only
        assert degree(rule, n) == expected(n)


def test_values_by_hand():
    assert quadrature("trapezoid", 3)[1].tolist() == [0.25, 0.5, 0.25]
    assert np.allclose(quadrature("simpson", 3)[1], [1 / 6, 4 / 6, 1 / 6], atol=1e-15)
    assert np.allclose(quadrature("simpson", 4)[1], [1 / 8, 3 / 8, 3 / 8, 1 / 8], atol=1e-15)
    assert np.allclose(quadrature("midpoint", 2)[0], [0.25, 0.75], atol=1e-15)
    half = 0.5 / math.sqrt(3)
    assert np.allclose(quadrature("gauss-legendre", 2)[0], [0.5 - half, 0.5 + half], atol=1e-15)
    assert np.allclose(quadrature("clenshaw-curtis", 3)[1], [1 / 6, 4 / 6, 1 / 6], atol=1e-15)


@pytest.mark.parametrize(("rule", "order"), [("left", 1), ("trapezoid", 2), ("simpson", 4)])
def test_orders_of_convergence(rule, order):
    def error(n):
        nodes, weights = quadrature(rule, n)
        return abs(weights @ np.exp(nodes) - (math.e - 1))

    assert math.log2(error(17) / error(33)) == pytest.approx(order, abs=0.15)
