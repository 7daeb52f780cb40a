"""A dense network and its gradient, by hand, in NumPy float64: what the backends must reproduce."""

import itertools
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Network:
    """Dense layers with an activation between them.

    Attributes:
        layers: (weight (in, out), bias (out,)) pairs.
        activation: "relu" or "tanh".
    """

    layers: tuple
    activation: str = "relu"

    def outputs(self, x):
        """Evaluates the last layer (N, C)."""
        return self._forward(x)[-1]

    def gradient(self, x, weights):
        """Differentiates ``sum(weights * outputs)`` of each sample by the sample.

        Args:
            x: (N, F) inputs.
            weights: (N, C) what the outputs are weighted with; one-hot for one class.
        """
        values = self._forward(x)
        back = weights
        for i in reversed(range(len(self.layers))):
            back = back @ self.layers[i][0].T
            if i:
                before = values[i - 1]
                slope = before > 0 if self.activation == "relu" else 1 - np.tanh(before) ** 2
                back = back * slope
        return back

    def probabilities(self, x):
        """Evaluates the softmax of the outputs."""
        shifted = np.exp(self.outputs(x) - self.outputs(x).max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)

    def _forward(self, x):
        values = []
        for i, (weight, bias) in enumerate(self.layers):
            if i:
                x = np.maximum(x, 0) if self.activation == "relu" else np.tanh(x)
            x = x @ weight + bias
            values.append(x)
        return values


def random_network(seed, *sizes, activation="relu", bias=True):
    """Draws a network with the given layer sizes; inputs of order 1 give outputs of order 1."""
    rng = np.random.default_rng(seed)
    layers = tuple(
        (
            single(rng.standard_normal((inside, outside)) / np.sqrt(inside)),
            single(rng.standard_normal(outside) * (0.5 if bias else 0.0)),
        )
        for inside, outside in itertools.pairwise(sizes)
    )
    return Network(layers, activation)


def single(array):
    """Rounds to float32, kept as float64: the same number then enters every computation."""
    return array.astype(np.float32).astype(np.float64)


def one_hot(targets, classes):
    """Turns class indices into weights."""
    return np.eye(classes)[np.asarray(targets)]
