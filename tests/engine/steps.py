"""How much more memory 2000 steps take than 50, in a process of its own.

Run as ``python steps.py BACKEND``; prints one number in MiB.
"""

import resource
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from labs import open_lab
from labs.numpy_network import random_network

import polyattr

X = np.random.default_rng(5).standard_normal((32, 3072))
NETWORK = random_network(6, 3072, 32, 3, activation="relu")


def peak():
    """The most memory this process has held so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(backend):
    """Explains with both."""
    lab = open_lab(backend)
    model, x = lab.network(NETWORK, softmax=False), lab.tensor(X)
    polyattr.IntegratedGradients(model, steps=50).explain(x, 1)
    before = peak()
    polyattr.IntegratedGradients(model, steps=2000).explain(x, 1)
    print(f"\n{peak() - before}")  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
