"""Models a worker process can be sent, and what it does with them.

A module of its own: the worker imports it by name, without pytest.
"""

from labs import open_lab
from labs.numpy_network import random_network

NETWORK = random_network(17, 3, 6, 2)


class Dense:
    """A dense network that knows its framework by name, and so travels without it."""

    def __init__(self, lab_name):
        self.lab_name = lab_name

    def __call__(self, x):
        ops = open_lab(self.lab_name).ops
        (first, bias), (second, last) = NETWORK.layers
        hidden = ops.relu(ops.matmul(x, ops.like(first, x)) + ops.like(bias, x))
        return ops.matmul(hidden, ops.like(second, x)) + ops.like(last, x)


def native_model(lab):
    """The framework's own kind of model."""
    if lab.name == "jax":  # of what Flax ships, activations cannot be pickled: here, none is held
        from worker_flax import Perceptron

        return Perceptron(NETWORK)
    return lab.network(NETWORK, softmax=False)


def attribute(method, x, targets):
    """Runs in the worker; the result returns as it is, native tensors included."""
    return method.attribute(x, targets)
