"""A function of arrays."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from polyattr.backend import BoundModel, ModelOutputError, PolyattrError
from polyattr_jax.modes import check_values, mode_advice, training_advice

_JITTED: type[Any] = type(jax.jit(lambda: None))
_FOR_ONE = (
    "is it written for one example? It takes the samples one by one: pass jax.vmap(function), "
    "which maps it over the first axis"
)


class BoundFunction(BoundModel):
    """A function; the arrays it refers to are part of the compiled kernel."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, entry=_entry(function))

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the function.

        Raises:
            ModelOutputError: It fails on several samples and takes each of them, or as it would
                while it is being trained, or reads values.
        """
        try:
            return self._function(*args, **kwargs)
        except Exception as error:
            shapes = isinstance(error, TypeError | ValueError) and not isinstance(
                error, PolyattrError
            )
            check_values(error)
            takes_one = shapes and _takes_one(self._function, args, kwargs)
            advice = f"; {_FOR_ONE}" if takes_one else mode_advice(self.entry, kwargs)
            advice = advice or training_advice(error)
            if not advice:
                raise
            raise ModelOutputError(
                f"the function raised {type(error).__name__}: {str(error).rstrip('.')}{advice}"
            ) from error

    def advice(self, given: Collection[str]) -> str:
        """Names an argument that says whether it is being trained, and `jax.vmap`."""
        return f"{mode_advice(self.entry, given)}. Or {_FOR_ONE}"


def _entry(function: Any) -> Callable[..., Any]:
    """Returns what takes the inputs: ``partial(module.apply, variables)`` hands anything on."""
    inner = function
    while isinstance(inner, _JITTED):
        inner = inner.__wrapped__
    linen = getattr(sys.modules.get("flax.linen"), "Module", None)
    if isinstance(inner, partial) and inner.args and linen is not None:
        module = getattr(inner.func, "__self__", None)
        if isinstance(module, linen) and inner.func.__name__ == "apply":
            method = inner.keywords.get("method")
            taken = method if callable(method) else getattr(module, method or "__call__")
            bound = taken if hasattr(taken, "__self__") else partial(taken, module)
            return partial(bound, *inner.args[1:]) if len(inner.args) > 1 else bound
    entry: Callable[..., Any] = function
    return entry


def _takes_one(function: Callable[..., Any], args: Any, kwargs: Any) -> bool:
    """Says by shapes alone whether the function takes each of the samples."""
    leaves, tree = jax.tree.flatten((tuple(args), dict(kwargs)))
    shapes = [tuple(getattr(leaf, "shape", ())) for leaf in leaves]
    rows = next((shape[:1] for shape in shapes if shape), None)

    def one(*leaves: Any) -> Any:
        args, kwargs = jax.tree.unflatten(tree, leaves)
        return function(*args, **kwargs)

    axes = tuple(0 if shape and shape[:1] == rows else None for shape in shapes)
    try:
        outputs = jax.tree.leaves(jax.eval_shape(jax.vmap(one, in_axes=axes), *leaves))
    except Exception:  # whatever a function raises that takes neither
        return False
    return any(jnp.issubdtype(output.dtype, jnp.floating) for output in outputs)
