"""The error of a path integral from its gradients, written again with NumPy and no other rule."""

import numpy as np

SHARE = np.sqrt(2 / np.pi)


def lines(nodes, values):
    """Integrates straight lines between points (P,), the outer ones continued to 0 and 1."""
    at = np.concatenate([[0.0], nodes, [1.0]])
    first = values[0] - nodes[0] * (values[1] - values[0]) / (nodes[1] - nodes[0])
    last = values[-1] + (1 - nodes[-1]) * (values[-1] - values[-2]) / (nodes[-1] - nodes[-2])
    full = np.concatenate([[first], values, [last]])
    return (np.diff(at)[:, None] * (full[1:] + full[:-1]) / 2).sum(axis=0)


def parabola(nodes, values):
    """Integrates the polynomial through all points (P,)."""
    columns = [
        np.polynomial.Polynomial.fit(nodes, column, len(nodes) - 1, domain=[0, 1]).integ()
        for column in values.T
    ]
    return np.array([column(1.0) - column(0.0) for column in columns])


def thinned(rule, nodes, flow):
    """The integral by the coarser rule that takes every other node."""
    if rule == "left":
        some, here = nodes[::2], flow[::2]
        return (np.diff([0.0, *some[1:], 1.0])[:, None] * here).sum(axis=0)
    if rule == "right":
        some, here = nodes[::-2][::-1], flow[::-2][::-1]
        return (np.diff([0.0, *some])[:, None] * here).sum(axis=0)
    chosen = list(range(0, len(nodes), 2))
    if nodes[-1] == 1.0 and chosen[-1] != len(nodes) - 1:
        chosen.append(len(nodes) - 1)
    fill = parabola if rule in {"gauss-legendre", "clenshaw-curtis"} else lines
    return fill(nodes[chosen], flow[chosen])


SMOOTH = {"left": 1, "right": 1, "midpoint": 7, "trapezoid": 2.5}


def bars(rule, nodes, flow, value):
    """Returns the standard error (F,) and the bound of the sum, of `flow` (P, F) at `nodes`."""
    jumps = np.diff(nodes)[:, None] * np.diff(flow, axis=0)
    root = np.sqrt((jumps**2).sum(axis=0) / 12)
    ratio = np.abs(value - thinned(rule, nodes, flow)).sum() / (SHARE * root.sum())
    factor = ratio
    if SMOOTH.get(rule) != 1:
        factor = max(min(ratio / 1.5, ratio**2 / 0.9), ratio / SMOOTH.get(rule, np.inf))
        factor = min(factor, 1.0)
    bound = np.abs(jumps).sum() * (1.0 if SMOOTH.get(rule) == 1 else 0.5)
    return root * factor, bound
