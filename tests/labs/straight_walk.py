"""Integrated Gradients of ReLU networks without a rule: from kink to kink, each found exactly."""

import numpy as np


def walked(network, x, weights, start=0.0):
    """The integral of the gradient times (x - start) along the straight path (F,), and its pieces.

    Between two kinks every unit is affine in alpha: the next kink is where the first one that moves
    towards zero reaches it.

    Args:
        network: A `Network` with ReLU.
        x: (F,) the input.
        weights: (C,) of the outputs.
        start: The baseline.
    """
    step, alpha, total, pieces = x - start, 0.0, np.zeros(len(x)), 0
    while alpha < 1.0:
        inside = min(alpha + 1e-9, 1.0)
        value, slope, masks, after = start + inside * step, step, [], 1.0
        for i, (weight, bias) in enumerate(network.layers):
            if i:
                masks.append(value > 0)
                with np.errstate(divide="ignore", invalid="ignore"):
                    reached = inside - value / slope
                later = reached[(slope != 0) & (reached > inside)]
                after = min([after, *later])
                value, slope = value * masks[-1], slope * masks[-1]
            value, slope = value @ weight + bias, slope @ weight
        gradient = weights
        for i in reversed(range(len(network.layers))):
            gradient = gradient @ network.layers[i][0].T
            if i:
                gradient = gradient * masks[i - 1]
        total += gradient * (after - alpha)
        alpha, pieces = after, pieces + 1
    return total * step, pieces
