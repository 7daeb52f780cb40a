"""Compiled TensorFlow kernels."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import tensorflow as tf

# What may handle text in a graph for XLA: the messages of assertions, which it leaves out.
_MAY_HOLD_TEXT = frozenset({"Const", "Assert", "NoOp"})
_WORTH_COMPILING = 2.0
"""Seconds of graph execution after which XLA is tried: about what its compilation takes."""
_RUNS = 3
"""Runs of XLA's program that are timed: another program's work may slow one of them down."""


class _NotForXla(Exception):  # noqa: N818 - ends a trace; nobody sees it
    """XLA cannot take what is being traced, or would compile it to something slow."""


class Kernel:
    """A function as a plain graph, or compiled by XLA: whichever is faster here.

    Which one that is depends on model and machine: XLA took 0.66 to 0.8 of the plain graph's time
    on a CNN and a transformer on one CPU, and 1.4 to 1.6 times as long on another. It compiles for
    as long as many a call takes, so on CPUs a kernel begins as a graph, tries XLA once it has run
    for that long, and keeps the faster; on accelerators it is XLA's from the first call.

    XLA says only while compiling which operations it lacks: what it refuses stays a graph. On CPUs
    its gradient of a depthwise convolution is slow: for one of 672 channels 84 ms instead of 1.6 in
    float32, 52 s instead of 13 ms in float64. Functions with any run as a plain graph there, too.
    So does what works on text, at which XLA does not fail but ends the process.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._programs: dict[object, _Programs] = {}
        self._refused = False
        self._race: _Race | None = _Race()

    def __call__(self, *args: Any) -> Any:
        """Runs on the device of the first tensor among the arguments."""
        tensors = [leaf for leaf in tf.nest.flatten(args) if tf.is_tensor(leaf)]
        device, kind = tensors[0].device, (tensors[0].shape, tensors[-1].shape)
        programs = self._programs.get(kind)
        if programs is None:
            programs = self._programs[kind] = _Programs(self._function)
        with tf.device(device):
            if self._refused:
                return programs.graph(*args)
            if "CPU" not in device or self._race is None:
                return self._compiled(programs, device, args)
            return self._raced(programs, device, kind, args)

    def _compiled(self, programs: _Programs, device: str, args: Any) -> Any:
        try:
            return programs.xla("CPU" in device, *args)
        except (tf.errors.ResourceExhaustedError, tf.errors.CancelledError):
            raise
        except (tf.errors.OpError, _NotForXla):
            self._refused = True
            return programs.graph(*args)

    def _raced(self, programs: _Programs, device: str, kind: object, args: Any) -> Any:
        race, function = self._race, programs.graph
        run = partial(function, *args)
        if race is not None and race.ready(kind):
            run, function = partial(self._compiled, programs, device, args), programs.xla
        traced, begun = function.experimental_get_tracing_count(), time.perf_counter()
        result = run()
        took = time.perf_counter() - begun
        if race is None or function.experimental_get_tracing_count() != traced:
            return result  # the time is that of tracing and compiling
        compiled = race.note(kind, took, compiled=function is programs.xla)
        if compiled is not None:
            self._race, self._refused = None, not compiled
        return result


class _Programs:
    """A function as a graph and by XLA, for arguments of one kind of shapes.

    TensorFlow counts how often a piece of Python code is traced, and warns of five times in ten
    calls: of a program that makes five explainers, and of a first call whose samples come in
    blocks of several sizes. It counts a partial, which has no code, for itself.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.graph = tf.function(partial(function), autograph=False)
        checked = partial(_traced_for_xla, function)
        self.xla = tf.function(checked, jit_compile=True, autograph=False)


class _Race:
    """Times runs with arguments of the same shapes, first of a graph and then of XLA's program."""

    def __init__(self) -> None:
        self._spent = 0.0
        self._best: dict[object, float] = {}
        self._found: list[float] = []

    def ready(self, kind: object) -> bool:
        """Says whether this run, of a `kind` that was timed as a graph, is worth XLA's while."""
        return self._spent >= _WORTH_COMPILING and kind in self._best

    def note(self, kind: object, took: float, *, compiled: bool) -> bool | None:
        """Notes the seconds a run took; says who has won, XLA or not, once it is known."""
        if not compiled:
            self._spent += took
            self._best[kind] = min(took, self._best.get(kind, took))
            return None
        self._found.append(took / self._best[kind])
        return min(self._found) < 1 if len(self._found) == _RUNS else None


def _traced_for_xla(function: Callable[..., Any], on_cpu: bool, *args: Any) -> Any:
    """Traces `function` unless XLA cannot take it, or would make it slow."""
    results = function(*args)
    graph = tf.compat.v1.get_default_graph().as_graph_def()
    # Looks also inside the functions a graph calls: a model may be a tf.function itself.
    for node in chain(graph.node, *(function.node_def for function in graph.library.function)):
        if _handles_text(node) or (on_cpu and node.op.startswith("DepthwiseConv2dNative")):
            raise _NotForXla
    return results


def _handles_text(node: Any) -> bool:
    """Says whether an operation, or an argument or a constant from outside, is one on text."""
    if node.op in _MAY_HOLD_TEXT:
        return False
    text = tf.string.as_datatype_enum
    return any(text == attr.type or text in attr.list.type for attr in node.attr.values())
