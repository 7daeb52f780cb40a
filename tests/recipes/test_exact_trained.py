"""rule="exact" on trained networks: against a walk over kinks, and against 65,536 midpoints."""

from functools import cache

import numpy as np
import pytest
from labs.numpy_network import Network, one_hot, random_network
from labs.straight_walk import walked

import polyattr
from polyattr.demo.digits import held_out_digits

SIZES = {"one layer": (49, 32, 10), "two": (49, 24, 24, 10), "three": (49, 16, 16, 16, 10)}
MIDPOINTS = 65_536


@cache
def digits():
    """A thousand digits, of 7 x 7 pixels each (N, 49), and what they are (N,)."""
    images, labels = held_out_digits()
    small = images.reshape(-1, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(-1, 49)
    return small.astype(np.float64), labels


@cache
def trained(name):
    """A ReLU network that reads digits, by gradient descent on all of them with momentum."""
    x, labels = digits()
    wanted = one_hot(labels, 10)
    network = random_network(len(name), *SIZES[name])
    arrays = [array.copy() for layer in network.layers for array in layer]
    speed = [np.zeros_like(array) for array in arrays]
    for _ in range(300):
        network = Network(tuple(zip(arrays[::2], arrays[1::2], strict=True)))
        values = network._forward(x)
        back = (network.probabilities(x) - wanted) / len(x)
        for i in reversed(range(len(network.layers))):
            before = np.maximum(values[i - 1], 0) if i else x
            slopes = before.T @ back, back.sum(axis=0)
            back = (back @ arrays[2 * i].T) * (values[i - 1] > 0) if i else back
            for j, slope in enumerate(slopes):
                speed[2 * i + j] = 0.9 * speed[2 * i + j] - 0.3 * slope
                arrays[2 * i + j] += speed[2 * i + j]
    return Network(tuple(zip(arrays[::2], arrays[1::2], strict=True)))


def midpoints(network, x, weights):
    """The midpoint rule from zero (F,), and the most that kinks leave it off (F,)."""
    alpha = (np.arange(MIDPOINTS) + 0.5) / MIDPOINTS
    total, moves, last = np.zeros(len(x)), np.zeros(len(x)), None
    for part in np.split(alpha, 64):
        gradient = network.gradient(part[:, None] * x, np.repeat(weights[None], len(part), axis=0))
        total += gradient.sum(axis=0)
        known = gradient if last is None else np.concatenate([last, gradient])
        moves += np.abs(np.diff(known, axis=0)).sum(axis=0)
        last = gradient[-1:]
    # A kink lies within half a width of a midpoint, on either side of it.
    return x * total / MIDPOINTS, np.abs(x) * moves / MIDPOINTS / 2


@pytest.mark.parametrize("name", SIZES)
def test_the_networks_read_digits(name):
    x, labels = digits()
    assert (trained(name).outputs(x).argmax(axis=1) == labels).mean() > 0.9


@pytest.mark.parametrize("name", SIZES)
def test_the_integral_to_rounding(lab, name):
    network, (x, labels) = trained(name), digits()
    x, labels = x[:4], labels[:4]
    goals = one_hot(labels, 10)
    with lab.double():
        method = polyattr.IntegratedGradients(lab.mlp(network), backend=lab.name, rule="exact")
        result = method.attribute(lab.tensor(x, "float64"), labels)
        values = lab.numpy(result.values)
    assert np.abs(result.completeness_gap).max() <= 1e-12 * max(1.0, np.abs(result.scores).max())
    assert result.error.max() <= 1e-9
    assert result.converged.all()
    for found, row, goal in zip(values, x, goals, strict=True):
        truth, _ = walked(network, row, goal)
        assert np.abs(found - truth).sum() <= 1e-9 * np.abs(truth).sum()
        near, away = midpoints(network, row, goal)
        assert (np.abs(found - near) <= away + 1e-9).all()
        assert away.sum() <= 1e-3 * np.abs(truth).sum()  # they are near enough to tell
