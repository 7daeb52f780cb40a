"""A gradient as TensorFlow itself takes it: a tape in a `tf.function`, also compiled by XLA."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from limits import models_tensorflow
from limits.frameworks import Gradient


def gradients(letter: str) -> dict[str, Gradient]:
    """The graph as it is, and compiled by XLA."""
    model = models_tensorflow.build(letter)
    model.trainable = False

    def gradient(x: Any, classes: Any) -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            picked = tf.reduce_sum(tf.gather(model(x, training=False), classes, batch_dims=1))
        return tape.gradient(picked, x)

    return {
        "graph": tf.function(gradient, autograph=False),
        "xla": tf.function(gradient, autograph=False, jit_compile=True),
    }


def rows(_way: str, x: Any) -> Any:
    """Prepares rows: all ways want them alike."""
    return models_tensorflow.native(x)


def classes(of_rows: Any) -> Any:
    """Prepares the class of each row."""
    return tf.constant(of_rows, tf.int32)


def wait(gradient: Any) -> None:
    """Nothing to wait for: on a CPU a call returns when it is done."""
