"""Models that other processes make, by name: a module of its own, imported without pytest."""

import os
import signal
from pathlib import Path

import numpy as np
from labs import open_lab
from labs.numpy_network import random_network

import polyattr

NETWORK = random_network(23, 6, 8, 3)
ROWS = 400


def data(rows=ROWS):
    return np.random.default_rng(11).standard_normal((rows, 6)).astype(np.float32)


class Dense:
    """A dense network that knows its framework by name, and so travels without it."""

    def __init__(self, lab_name, scale=1.0):
        self.lab_name, self.weights = lab_name, [(w * scale, b) for w, b in NETWORK.layers]

    def __call__(self, x):
        ops = open_lab(self.lab_name).ops
        (first, bias), (second, last) = self.weights
        hidden = ops.relu(ops.matmul(x, ops.like(first, x)) + ops.like(bias, x))
        return ops.matmul(hidden, ops.like(second, x)) + ops.like(last, x)


def named_model():
    """Of the framework the session tests, named in the environment of all processes."""
    return Dense(os.environ["POLYATTR_TEST_DATASETS"])


def made_method():
    lab = os.environ["POLYATTR_TEST_DATASETS"]
    return polyattr.IntegratedGradients(named_model(), backend=lab, steps=5, operator="regression")


class Killed:
    """`prepare` of a worker that is killed, once, when the row comes whose first number is this."""

    def __init__(self, number, folder):
        self.number, self.folder = number, folder

    def __call__(self, inputs):
        mark = Path(self.folder) / "killed"
        if (inputs[:, 0] == self.number).any() and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return inputs


def always_killed(inputs):
    os.kill(os.getpid(), signal.SIGKILL)


def doubled(inputs):
    return 2 * inputs
