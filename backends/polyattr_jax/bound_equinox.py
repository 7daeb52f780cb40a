"""Equinox modules, written for one example or for a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import equinox
import jax

from polyattr.layers import call_until, find_submodule, submodules
from polyattr_jax.binding import ParametrisedModel

# Two sizes no layer is likely to have: a batched module keeps both on the first axis.
_PROBES = (7919, 7927)


class BoundEquinox(ParametrisedModel):
    """An equinox module in inference mode; arrays are arguments of the kernel."""

    def __init__(self, module: Any, output_layer: Any) -> None:
        super().__init__(module, entry=module.__call__)
        self._arrays, self._static = equinox.partition(
            equinox.nn.inference_mode(module), equinox.is_array
        )
        self._path = None
        if output_layer is not None:
            every = submodules(module, equinox.Module)
            self._path = find_submodule(output_layer, every).path

    def state(self) -> Any:
        """The arrays of the module, which is immutable."""
        return self._arrays

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the module on every example; on the batch if it takes nothing else."""

        def call(args: Any, kwargs: Any) -> Any:
            return self._once(state, args, kwargs)

        if _takes_one(call, args, kwargs) or not _is_batched(call, args, kwargs):
            call = jax.vmap(call)
        return call(tuple(args), dict(kwargs))

    def _once(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        module = equinox.combine(state, self._static)
        return call_until(module, self._path, args, kwargs)


def _takes_one(call: Any, args: Any, kwargs: Any) -> bool:
    """Says whether the module takes one example, as equinox modules do, by shapes alone."""
    try:
        jax.eval_shape(jax.vmap(call), tuple(args), dict(kwargs))
    except Exception:  # whatever a module written for a batch raises on an example
        return False
    return True


def _is_batched(call: Any, args: Any, kwargs: Any) -> bool:
    """Says whether the module takes the sample axis itself."""
    for size in _PROBES:

        def resized(leaf: Any, size: int = size) -> Any:
            return jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype)

        try:
            outputs = jax.eval_shape(
                call, jax.tree.map(resized, tuple(args)), jax.tree.map(resized, dict(kwargs))
            )
        except Exception:  # whatever a module written for one example raises on a batch
            return False
        if any(leaf.shape[:1] != (size,) for leaf in jax.tree.leaves(outputs)):
            return False
    return True
