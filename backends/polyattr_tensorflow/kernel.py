"""Compiled TensorFlow kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any

import tensorflow as tf

# What may handle text in a graph for XLA: the messages of assertions, which it leaves out.
_MAY_HOLD_TEXT = frozenset({"Const", "Assert", "NoOp"})


class _NotForXla(Exception):  # noqa: N818 - ends a trace; nobody sees it
    """XLA cannot take what is being traced, or would compile it to something slow."""


class Kernel:
    """A function compiled by XLA, or as a plain graph where XLA refuses one of its operations.

    XLA took 0.66 to 0.8 of the plain graph's time on a CNN and a transformer, and as long on an
    MLP. It says only while compiling which operations it lacks, so the first call decides. On CPUs
    its gradient of a depthwise convolution is slow: for one of 672 channels 84 ms instead of 1.6 in
    float32, 52 s instead of 13 ms in float64. Functions with any run as a plain graph there, too.
    So does what works on text, at which XLA does not fail but ends the process.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        # TensorFlow counts retracing per piece of Python code, and warns of a program that makes
        # five explainers; it counts a partial, which has no code, for itself.
        self._function = partial(function)
        checked = partial(_traced_for_xla, function)
        self._compiled = tf.function(checked, jit_compile=True, autograph=False)
        self._refused = False

    def __call__(self, *args: Any) -> Any:
        """Runs on the device of the first tensor among the arguments."""
        tensors = [leaf for leaf in tf.nest.flatten(args) if tf.is_tensor(leaf)]
        device = tensors[0].device
        with tf.device(device):
            if not self._refused:
                try:
                    return self._compiled("CPU" in device, *args)
                except (tf.errors.ResourceExhaustedError, tf.errors.CancelledError):
                    raise
                except (tf.errors.OpError, _NotForXla):
                    self._refused = True
                    self._compiled = tf.function(self._function, autograph=False)
            return self._compiled(*args)


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
