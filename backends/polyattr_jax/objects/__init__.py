"""Which objects of JAX and the libraries on it a call can change, and how they are put back."""

from __future__ import annotations

import sys
from typing import Any

import jax

from polyattr.backend import FrameworkObjects, Keeper
from polyattr_keras import LIBRARIES, is_built_layer, is_variable, keras_keepers


class JaxObjects(FrameworkObjects):
    """Keras layers and variables, nnx modules and variables; arrays never change."""

    libraries = frozenset({"jax", "jaxlib", "flax", "equinox", "haiku"}) | LIBRARIES
    traces = True

    def is_traced(self, value: object) -> bool:
        """A tracer."""
        return isinstance(value, jax.core.Tracer)

    def is_module(self, value: object) -> bool:
        """A layer that has its variables, or an nnx module."""
        return is_built_layer(value) or _is(value, "Module")

    def is_parameter(self, value: object) -> bool:
        """A variable."""
        return is_variable(value) or _is(value, "Variable")

    def keepers(self, value: object, copies: bool) -> list[Keeper] | None:
        """Keeps variables."""
        if (kept := keras_keepers(value, lambda: True)) is not None:
            return kept
        if _is(value, "Variable"):
            return [_variable(value)]
        return [] if isinstance(value, jax.Array) else None


def _is(value: object, name: str) -> bool:
    """Says whether a `value` is of a class of nnx, if that is in use at all."""
    kind = getattr(sys.modules.get("flax.nnx"), name, None)
    return kind is not None and isinstance(value, kind)


def _variable(variable: Any) -> Keeper:
    """Keeps a variable's value: arrays are replaced, never written to."""
    saved = dict(vars(variable))

    def put_back() -> None:
        vars(variable).update(saved)

    return Keeper(lambda: any(vars(variable).get(k) is not v for k, v in saved.items()), put_back)
