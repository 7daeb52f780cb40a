"""Equinox modules, written for one example or for a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import equinox
import jax

from polyattr.bound_model import Layer, Tap
from polyattr.layers import call_tapped, find_submodule, submodules
from polyattr_jax.binding import ParametrisedModel

# Two sizes no layer is likely to have: a batched module keeps both on the first axis.
_PROBES = (7919, 7927)


class BoundEquinox(ParametrisedModel):
    """An equinox module in inference mode; arrays are arguments of the kernel."""

    kind = "equinox module"

    def __init__(self, module: Any) -> None:
        super().__init__(module, entry=module.__call__)
        self._arrays, self._static = equinox.partition(
            equinox.nn.inference_mode(module), equinox.is_array
        )

    def state(self) -> Any:
        """The arrays of the module, which is immutable."""
        return self._arrays

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the module on every example; on the batch if it takes nothing else."""
        return self.run_tapped(state, args, kwargs, ())[0]

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a submodule by index, dotted name or as the object."""
        return find_submodule(selector, submodules(self._function, equinox.Module), argument)

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Calls the module with taps at its submodules, whose values are mapped over as well."""

        def call(args: Any, kwargs: Any, values: Any) -> Any:
            module = equinox.combine(state, self._static)
            mapped = [replace(tap, values=v) for tap, v in zip(taps, values, strict=True)]
            return call_tapped(module, mapped, args, kwargs)

        given = (tuple(args), dict(kwargs), [list(tap.values) for tap in taps])
        if _takes_one(call, given) or not _is_batched(call, given):
            call = jax.vmap(call)
        outputs: tuple[Any, list[list[Any]]] = call(*given)
        return outputs


def _takes_one(call: Any, given: Any) -> bool:
    """Says whether the module takes one example, as equinox modules do, by shapes alone."""
    try:
        jax.eval_shape(jax.vmap(call), *given)
    except Exception:  # whatever a module written for a batch raises on an example
        return False
    return True


def _is_batched(call: Any, given: Any) -> bool:
    """Says whether the module takes the sample axis itself."""
    for size in _PROBES:

        def resized(leaf: Any, size: int = size) -> Any:
            return jax.ShapeDtypeStruct((size, *leaf.shape[1:]), leaf.dtype)

        try:
            outputs, _ = jax.eval_shape(call, *jax.tree.map(resized, given))
        except Exception:  # whatever a module written for one example raises on a batch
            return False
        if any(leaf.shape[:1] != (size,) for leaf in jax.tree.leaves(outputs)):
            return False
    return True
