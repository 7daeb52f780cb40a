"""A gradient as JAX itself takes it: ``jit(value_and_grad)`` of the sum of the scores picked."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from limits import models_jax
from limits.frameworks import Gradient


def gradients(letter: str) -> dict[str, Gradient]:
    """One way: compiled."""
    model = models_jax.build(letter)

    def picked(x: Any, classes: Any) -> Any:
        return jnp.take_along_axis(model(x), classes, axis=1).sum()

    compiled = jax.jit(jax.value_and_grad(picked))
    return {"jit": lambda x, classes: compiled(x, classes)[1]}


def rows(_way: str, x: Any) -> Any:
    """Prepares rows: all ways want them alike."""
    return jnp.asarray(x)


def classes(of_rows: Any) -> Any:
    """Prepares the class of each row."""
    return jnp.asarray(of_rows)[:, None]


def wait(gradient: Any) -> None:
    """Returns once a gradient is there."""
    gradient.block_until_ready()
