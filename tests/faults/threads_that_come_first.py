"""Run in an interpreter of its own: eight threads use polyattr and a framework first."""

import importlib.metadata
import sys
import threading
import time
import traceback

import numpy as np
import pluggy

import polyattr

COUNT = 8
X = np.random.default_rng(6).standard_normal((3, 4)).astype(np.float32)
arrived = threading.Barrier(COUNT)
load, register = importlib.metadata.EntryPoint.load, pluggy.PluginManager.register


def load_together(point):
    """Keeps each thread that has imported the plugin until all have."""
    plugin = load(point)
    if point.group == "polyattr.backends":
        arrived.wait(120)
    return plugin


def register_slowly(*arguments, **named):
    """Lets the other threads go on, as the interpreter may at any time."""
    time.sleep(0.05)
    return register(*arguments, **named)


def in_threads(work):
    """Returns what eight threads get from `work`; an error in one of them ends the script."""
    found, failed = {}, []

    def run(number):
        try:
            found[number] = work(number)
        except BaseException:
            failed.append(traceback.format_exc())

    threads = [threading.Thread(target=run, args=(number,)) for number in range(COUNT)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    if failed:
        sys.exit(f"{len(failed)} of {COUNT} threads failed, one with:\n{failed[0]}")
    return [found[number] for number in range(COUNT)]


def check(maps, expected):
    for found in maps:
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def squares(x):
    return x[:, 0] * x[:, 0] + x[:, 1] * x[:, 2]


def main(name):
    """Makes explainers, then calls one of them for the first time, in eight threads at once."""
    expected = X * np.stack([2 * X[:, 0], X[:, 2], X[:, 1], 0 * X[:, 3]], axis=1)
    importlib.metadata.EntryPoint.load = load_together
    pluggy.PluginManager.register = register_slowly
    methods = in_threads(lambda number: polyattr.GradientInput(squares, backend=name))
    importlib.metadata.EntryPoint.load = load
    pluggy.PluginManager.register = register
    check(in_threads(lambda number: methods[number].attribute(X).to_numpy()), expected)
    one = polyattr.IntegratedGradients(squares, backend=name, rule="midpoint", steps=4)
    check(in_threads(lambda number: one.attribute(X).to_numpy()), expected / 2)


if __name__ == "__main__":
    main(sys.argv[1])
