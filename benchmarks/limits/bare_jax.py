"""A gradient as JAX itself takes it: ``jit(value_and_grad)`` of the sum of the scores picked.

With weights that the function closes over, which XLA lays out for its kernels once, when it
compiles; and with the same weights as arguments, as in training, which it lays out at every call.
"""

from __future__ import annotations

import functools
from typing import Any

import jax
import jax.numpy as jnp

from limits import models_jax
from limits.frameworks import Gradient


def gradients(letter: str) -> dict[str, Gradient]:
    """Two ways, both compiled."""
    model = models_jax.build(letter)

    def picked(x: Any, classes: Any) -> Any:
        return jnp.take_along_axis(model(x), classes, axis=1).sum()

    compiled = jax.jit(jax.value_and_grad(picked))

    @jax.jit
    def handed(weights: Any, x: Any, classes: Any) -> Any:
        # Of a function of rows alone, what it closes over is found by tracing it.
        return jax.core.eval_jaxpr(traced(x, classes).jaxpr, weights, x, classes)

    @functools.cache
    def of_shapes(x: Any, classes: Any) -> Any:
        return jax.make_jaxpr(jax.value_and_grad(picked))(x, classes)

    def traced(x: Any, classes: Any) -> Any:
        shape: Any = jax.ShapeDtypeStruct
        return of_shapes(*(shape(t.shape, t.dtype) for t in (x, classes)))

    def by_arguments(x: Any, classes: Any) -> Any:
        return handed(traced(x, classes).consts, x, classes)[1]

    return {"jit": lambda x, classes: compiled(x, classes)[1], "weights handed": by_arguments}


def rows(_way: str, x: Any) -> Any:
    """Prepares rows: all ways want them alike."""
    return jnp.asarray(x)


def classes(of_rows: Any) -> Any:
    """Prepares the class of each row."""
    return jnp.asarray(of_rows)[:, None]


def wait(gradient: Any) -> None:
    """Returns once a gradient is there."""
    gradient.block_until_ready()
