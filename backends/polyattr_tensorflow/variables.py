"""The variables a model computes with: they say where it lives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf


def floating(candidates: Iterable[Any]) -> list[Any]:
    """Keeps floating tensors and variables, also those inside Keras variables."""
    found = (
        v if isinstance(v, tf.Tensor | tf.Variable) else getattr(v, "value", None)
        for v in candidates
    )
    return [v for v in found if isinstance(v, tf.Tensor | tf.Variable) and v.dtype.is_floating]


def first_float(candidates: Iterable[Any]) -> Any:
    """Returns the first floating tensor or variable, or None."""
    return next(iter(floating(candidates)), None)


def named_variables(candidates: Iterable[Any]) -> dict[str, tf.Variable]:
    """Returns the variables among them by their names, a number behind one that comes again."""
    found: dict[str, tf.Variable] = {}
    for variable in candidates:
        if not isinstance(variable, tf.Variable) or any(variable is v for v in found.values()):
            continue
        plain = name = variable.name.removesuffix(":0")
        number = 2
        while name in found:
            name, number = f"{plain} ({number})", number + 1
        found[name] = variable
    return found
