"""Two rules for dense ReLU networks without biases, from their equations, in NumPy float64.

Both walk back from the score with what each unit received; neither takes a gradient.
"""

import numpy as np


def activations(layers, x):
    """Pre-activations and activations of every layer, the inputs first among the latter."""
    before, after = [], [x]
    for i, (weight, _) in enumerate(layers):
        before.append(after[-1] @ weight)
        after.append(np.maximum(before[-1], 0) if i < len(layers) - 1 else before[-1])
    return before, after


def epsilon_lrp(layers, x, goal, epsilon):
    """Layer-wise relevance propagation with a stabiliser.

    Bach, Binder, Montavon, Klauschen, Müller & Samek, PLOS ONE 10(7), e0130140 (2015), eq. 56 and
    58: R_i = sum_j a_i w_ij / (z_j + epsilon sign(z_j)) R_j, with sign(0) = 1. Relevance passes a
    ReLU unchanged.
    """
    before, after = activations(layers, x)
    relevance = goal * after[-1]
    for (weight, _), z, a in zip(
        reversed(layers), reversed(before), reversed(after[:-1]), strict=True
    ):
        share = relevance / (z + epsilon * np.where(z >= 0, 1.0, -1.0))
        relevance = a * (share @ weight.T)
    return relevance


def deeplift_rescale(layers, x, reference, goal):
    """DeepLIFT with the rescale rule.

    Shrikumar, Greenside & Kundaje, arXiv 1704.02685 (2017), sections 3.2 and 3.5: multipliers
    m = (change of output) / (change of input) of each ReLU, and the weight of each linear map,
    chained; the contribution is the multiplier times the change of the input. Where a ReLU's input
    does not change its multiplier is its derivative.
    """
    (before, _), (base, _) = activations(layers, x), activations(layers, reference)
    multiplier = goal @ layers[-1][0].T
    for i in reversed(range(len(layers) - 1)):
        change = before[i] - base[i]
        rise = np.maximum(before[i], 0) - np.maximum(base[i], 0)
        still = change == 0
        slope = np.where(still, before[i] > 0, rise / np.where(still, 1.0, change))
        multiplier = (multiplier * slope) @ layers[i][0].T
    return multiplier * (x - reference)
