"""A kernel is a graph or XLA's program, whichever is faster, and the answer is the same."""

import numpy as np
import pytest
import tensorflow as tf
from labs import METHODS

from polyattr_tensorflow import kernel
from polyattr_tensorflow.kernel import Kernel

X = np.random.default_rng(3).standard_normal((4, 5)).astype("float32")
WEIGHTS = np.random.default_rng(5).standard_normal((5, 3)).astype("float32")


class Clock:
    """Each look at it takes as long as the program that runs between two looks is meant to."""

    def __init__(self, graph, xla):
        self.now, self.seconds, self.looks = 0.0, {False: graph, True: xla}, 0
        self.compiled = False

    def perf_counter(self):
        self.looks += 1
        if self.looks % 2 == 0:
            self.now += self.seconds[self.compiled]
        return self.now


def timed(monkeypatch, graph, xla):
    """Returns a kernel whose programs seem to take so many seconds, and what it traced for."""
    clock, traced = Clock(graph, xla), []
    monkeypatch.setattr(kernel.time, "perf_counter", clock.perf_counter)
    made = Kernel(lambda x: traced.append(1) or tf.nn.tanh(x) * 2.0)
    compiled = made._compiled

    def noted(programs, device, args):
        clock.compiled = True
        return compiled(programs, device, args)

    monkeypatch.setattr(made, "_compiled", noted)

    class Graph:
        def __init__(self, plain):
            self.plain = plain
            self.experimental_get_tracing_count = plain.experimental_get_tracing_count

        def __call__(self, *args):
            clock.compiled = False
            return self.plain(*args)

    class Programs(kernel._Programs):
        def __init__(self, function):
            super().__init__(function)
            self.graph = Graph(self.graph)

    monkeypatch.setattr(kernel, "_Programs", Programs)
    return made, traced


@pytest.mark.parametrize("faster", ["graph", "xla"])
def test_the_faster_one_is_kept(monkeypatch, faster):
    slow = 0.5
    graph, xla = (slow / 2, slow) if faster == "graph" else (slow, slow / 2)
    made, traced = timed(monkeypatch, graph, xla)
    x = tf.constant(X)
    runs = int(kernel._WORTH_COMPILING / graph) + 1  # the first one is spent on tracing
    for number in range(runs + kernel._RUNS + 8):
        np.testing.assert_allclose(made(x), np.tanh(X) * 2, rtol=1e-6)
        assert len(traced) == (1 if number < runs else 2)
    assert made._race is None
    assert made._refused == (faster == "graph")


def test_a_graph_that_has_run_for_a_moment_is_not_compiled(monkeypatch):
    made, traced = timed(monkeypatch, 1e-3, 1e-3)
    for _ in range(50):
        made(tf.constant(X))
    assert traced == [1]


def test_shapes_that_were_not_timed_stay_graphs(monkeypatch):
    made, traced = timed(monkeypatch, kernel._WORTH_COMPILING, 1e-3)
    made(tf.constant(X))
    made(tf.constant(X))
    made(tf.constant(X[:3]))
    assert (len(traced), made._race is None) == (2, False)


def test_what_xla_refuses_in_the_race_stays_a_graph(monkeypatch):
    monkeypatch.setattr(kernel, "_WORTH_COMPILING", 0.0)
    made = Kernel(lambda x: tf.strings.to_number(tf.strings.as_string(x)))
    for _ in range(6):
        np.testing.assert_allclose(made(tf.constant(X)), X, atol=1e-5)
    assert made._refused


def model(x):
    return tf.nn.relu(x) @ WEIGHTS + tf.nn.tanh(x) @ WEIGHTS


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_maps_are_the_same(monkeypatch, method):
    x, targets = tf.constant(X), np.array([0, 2, 1, 1])
    graph = method(model).attribute(x, targets)
    monkeypatch.setattr(kernel, "_Race", lambda: None)
    xla = method(model).attribute(x, targets)
    np.testing.assert_allclose(xla.values, graph.values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(xla.scores, graph.scores, rtol=1e-6)
    assert (xla.standard_error is None) == (graph.standard_error is None)
    if graph.standard_error is not None:
        np.testing.assert_allclose(xla.standard_error, graph.standard_error, rtol=1e-4, atol=1e-6)
