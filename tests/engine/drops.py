"""Explainers made, called once and dropped, in a process of its own.

Run as ``python drops.py BACKEND MODELS EXPLAINERS``, where MODELS is ``one`` for all explainers or
``fresh`` for each; prints one JSON object.
"""

import gc
import json
import sys
import weakref
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from labs import open_lab
from labs.numpy_network import random_network

import polyattr

METHODS = (
    polyattr.GradientInput,
    lambda model, **more: polyattr.IntegratedGradients(model, steps=6, **more),
    lambda model, **more: polyattr.SmoothGrad(model, nb_samples=3, **more),
)
WARM_UP = 30
PAGE = 4096
X = np.random.default_rng(3).standard_normal((4, 5))
NETWORK = random_network(4, 5, 6, 3, activation="relu")


def function(lab):
    """A function with weights of its own, and one of them."""
    body = lab.mlp(NETWORK)
    weight = lab.tensor(np.ones((3, 3), np.float32))

    def model(x):
        return lab.ops.matmul(body(x), weight)

    return model, weight


def module(lab):
    """The framework's own kind of model."""
    return lab.network(NETWORK, softmax=False), None


def state():
    """Resident MiB and mapped regions of this process."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE / 2**20, len(Path("/proc/self/maps").read_text().splitlines())


def main(backend, models, explainers):
    """Makes so many of them after the warm-up."""
    lab = open_lab(backend)
    kept = [make(lab) for make in (function, module)]
    x, followed = lab.tensor(X), []

    def use(number):
        method, kind = METHODS[number % 3], number // 3 % 2
        model, weight = kept[kind] if models == "one" else (function, module)[kind](lab)
        if models == "fresh":
            followed.extend(weakref.ref(held) for held in (model, weight) if held is not None)
        method(model, backend=lab.name).explain(x, 1)

    for number in range(WARM_UP):
        use(number)
    memory, regions = state()
    for number in range(explainers):
        use(number)
    after = state()
    grown = {"megabytes": after[0] - memory, "regions": after[1] - regions}
    alive = sum(reference() is not None for reference in followed)
    print("\n" + json.dumps({**grown, "followed": len(followed), "alive": alive}))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
