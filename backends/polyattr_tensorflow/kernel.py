"""Compiled TensorFlow kernels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf


class Kernel:
    """A function compiled by XLA, or as a plain graph where XLA refuses one of its operations.

    XLA took 0.66 to 0.8 of the plain graph's time on a CNN and a transformer, and as long on an
    MLP. It says only while compiling which operations it lacks, so the first call decides.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        # TensorFlow counts retracing per piece of Python code, and warns of a program that makes
        # five explainers; it counts a partial, which has no code, for itself.
        self._function = function = partial(function)
        self._compiled = tf.function(function, jit_compile=True, autograph=False)
        self._refused = False

    def __call__(self, *args: Any) -> Any:
        """Runs on the device of the first tensor among the arguments."""
        tensors = [leaf for leaf in tf.nest.flatten(args) if tf.is_tensor(leaf)]
        with tf.device(tensors[0].device):
            if not self._refused:
                try:
                    return self._compiled(*args)
                except (tf.errors.ResourceExhaustedError, tf.errors.CancelledError):
                    raise
                except tf.errors.OpError:
                    self._refused = True
                    self._compiled = tf.function(self._function, autograph=False)
            return self._compiled(*args)
