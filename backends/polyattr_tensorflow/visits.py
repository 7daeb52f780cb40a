"""Layers that are called in a graph or a derivative of its own cannot be reached, and say so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

import tensorflow as tf

from polyattr.backend import LayerNotFoundError, Tap, Visits

# The module of TensorFlow that calls a function with a gradient of its own.
_DERIVATIVES = tf.custom_gradient.__module__


class GraphVisits(Visits):
    """Visits that know whether an activation can be read or replaced.

    Args:
        taps: The taps of the run.
    """

    def __init__(self, taps: Sequence[Tap]) -> None:
        super().__init__(taps)
        self._graph, self._derivatives = _graph(), _derivatives()
        self._unreached: tuple[str, str] | None = None

    def visit(self, number: int, activation: Any) -> Any:
        """Remembers or replaces the `activation` (R, ...), as all visits do, where it can."""
        tap = self.taps[number]
        inside = _derivatives() > self._derivatives
        if _graph() is not self._graph:
            self._unreached = tap.layer.name, "a tf.function, loop or branch"
        elif inside and (tap.put is not None or not _recording()):
            # A value put there would be unknown to the gradient, which is somebody else's.
            self._unreached = tap.layer.name, "tf.recompute_grad or another custom gradient"
        else:
            return super().visit(number, activation)
        return activation  # Keras would wrap an error in its own text

    def check(self) -> None:
        """Checks that all layers could be reached.

        Raises:
            LayerNotFoundError: One belongs to another graph, or to a custom gradient.
        """
        if self._unreached is not None:
            name, where = self._unreached
            raise LayerNotFoundError(
                f"layer {name!r} is called inside {where}, where its activation cannot be reached; "
                f"name a layer outside it, call the layers without it, or pass a function that "
                f"returns or takes the activation"
            )


def _graph() -> Any:
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


def _derivatives() -> int:
    """Counts the calls of functions with a gradient of their own that this one is inside."""
    frame: FrameType | None = sys._getframe()
    count = 0
    while frame is not None:
        count += frame.f_globals.get("__name__") == _DERIVATIVES
        frame = frame.f_back
    return count


def _recording() -> bool:
    """Says whether a tape would see what is computed here; recomputed functions stop it."""
    with tf.GradientTape() as tape:
        here = tf.constant(1.0)
        tape.watch(here)
        there = tf.identity(here)
    return tape.gradient(there, here) is not None
