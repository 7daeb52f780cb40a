"""Equinox modules, written for one example or for a batch, with or without a state."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import equinox
import jax

from polyattr.backend import (
    Layer,
    Tap,
    UnrecognisedModelError,
    Visits,
    call_tapped,
    find_submodule,
    submodules,
)
from polyattr_jax.parametrised import TracedModel, signed
from polyattr_jax.tapping import run_marked

# Two sizes no layer is likely to have: a batched module keeps both on the first axis.
_PROBES = (7919, 7927)
# JAX leaves its arguments without types.
_outline: Callable[..., jax.ShapeDtypeStruct] = jax.ShapeDtypeStruct


def bind_equinox(module: Any, rest: Sequence[Any]) -> BoundEquinox:
    """Binds a module, or a module and its state.

    Raises:
        UnrecognisedModelError: A state is missing, or is none.
    """
    name = type(module).__name__
    wanted = "(model, state) as equinox.nn.make_with_state returned"
    if rest and (len(rest) > 1 or not isinstance(rest[0], equinox.nn.State)):
        given = ", ".join(type(part).__name__ for part in rest)
        raise UnrecognisedModelError(
            f"{name} is an equinox module and came with {given}; expected the module alone or "
            f"{wanted}. Further arguments go in forward_args or forward_kwargs"
        )
    leaves = jax.tree.leaves(module, is_leaf=_is_index)
    if not rest and any(_is_index(leaf) for leaf in leaves):
        raise UnrecognisedModelError(
            f"{name} is an equinox module with a state, which is missing; expected {wanted}"
        )
    return BoundEquinox(module, *rest)


def _is_index(leaf: Any) -> bool:
    return isinstance(leaf, equinox.nn.StateIndex)


@dataclass(frozen=True)
class _Shared:
    """An argument that is the same for all examples."""

    value: Any


class BoundEquinox(TracedModel):
    """An equinox module in inference mode; arrays are arguments of the kernel."""

    kind = "equinox module"

    def __init__(self, module: Any, *states: Any) -> None:
        own = inspect.signature(module.__call__)
        names = list(own.parameters)
        self._place = names.index("state") if "state" in names else None
        kept = [p for p in own.parameters.values() if not states or p.name != "state"]
        super().__init__(module, entry=signed(own.replace(parameters=kept)))
        silent = equinox.nn.inference_mode(module)
        self._arrays, self._static = equinox.partition((silent, states), equinox.is_array)
        self._states = states
        self._mapped: dict[object, bool] = {}

    def parameters(self) -> Any:
        """The arrays of the module: statistics may be kept wider."""
        return self._arrays[0]

    def with_parameters(self, tree: Any) -> Any:
        """The module with other arrays, and its state if there is one."""
        arrays, rest = equinox.partition(self._function, equinox.is_array)
        module = equinox.combine(jax.tree.unflatten(jax.tree.structure(arrays), _flat(tree)), rest)
        return (module, *self._states) if self._states else module

    def state(self) -> Any:
        """The arrays of the module and its state, which are immutable."""
        return self._arrays

    def share(self, leaf: Any) -> Any:
        """Keeps an argument from being mapped over examples."""
        return _Shared(leaf)

    def layer(self, selector: Any, argument: str) -> Layer:
        """Finds a submodule by index, dotted name or as the object."""
        every = submodules(self._function, equinox.Module)
        return find_submodule(
            selector, [entry for entry in every if not _is_index(entry.module)], argument
        )

    def run_tapped(
        self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any], taps: Sequence[Tap]
    ) -> tuple[Any, list[list[Any]]]:
        """Calls the module on every example, on the batch if it takes nothing else.

        The values of the taps are mapped over as well.
        """
        given = (tuple(args), dict(kwargs), [list(tap.values) for tap in taps])
        key, rows, build = _take_rows(given)

        def call(*rows: Any) -> Any:
            args, kwargs, values = build(rows)
            mapped = [replace(tap, values=v) for tap, v in zip(taps, values, strict=True)]
            return run_marked(lambda visits: self._call(state, visits, args, kwargs), mapped)

        if key not in self._mapped:
            self._mapped[key] = _takes_one(call, rows) or not _is_batched(call, rows)
        if self._mapped[key]:
            call = jax.vmap(call)
        outputs: tuple[Any, list[list[Any]]] = call(*rows)
        return outputs

    def _call(self, state: Any, visits: Visits, args: list[Any], kwargs: dict[str, Any]) -> Any:
        module, states = equinox.combine(state, self._static)
        if not states:
            return call_tapped(module, visits, args, kwargs)
        place = len(args) if self._place is None else self._place
        if place > len(args):
            kwargs = {**kwargs, "state": states[0]}
        else:
            args = [*args[:place], states[0], *args[place:]]
        outputs = call_tapped(module, visits, args, kwargs)
        if not (isinstance(outputs, tuple) and isinstance(outputs[-1], equinox.nn.State)):
            return outputs
        return outputs[0] if len(outputs) == 2 else outputs[:-1]


def _flat(tree: Any) -> list[Any]:
    return jax.tree.leaves(tree)


def _take_rows(given: Any) -> tuple[object, list[Any], Callable[[Sequence[Any]], Any]]:
    """Takes out the arrays with a row per example.

    Returns:
        What must be equal for the module to take them in the same way, the arrays, and what puts
        others in their places.
    """
    leaves, tree = jax.tree.flatten(given)
    shapes = [getattr(leaf, "shape", ()) for leaf in leaves]
    size = next((shape[0] for shape in shapes if shape), None)
    places = [place for place, shape in enumerate(shapes) if shape and shape[0] == size]
    dtypes = [str(getattr(leaf, "dtype", "")) for leaf in leaves]
    kinds = tuple((shape[1:], dtype) for shape, dtype in zip(shapes, dtypes, strict=True))

    def build(rows: Sequence[Any]) -> Any:
        filled = [leaf.value if isinstance(leaf, _Shared) else leaf for leaf in leaves]
        for place, row in zip(places, rows, strict=True):
            filled[place] = row
        return jax.tree.unflatten(tree, filled)

    return (tree, kinds), [leaves[place] for place in places], build


def _takes_one(call: Any, rows: list[Any]) -> bool:
    """Says whether the module takes one example, as equinox modules do, by shapes alone."""
    try:
        jax.eval_shape(jax.vmap(call), *rows)
    except Exception:  # whatever a module written for a batch raises on an example
        return False
    return True


def _is_batched(call: Any, rows: list[Any]) -> bool:
    """Says whether the module takes the sample axis itself."""
    for size in _PROBES:
        resized = [_outline((size, *row.shape[1:]), row.dtype) for row in rows]
        try:
            outputs, _ = jax.eval_shape(call, *resized)
        except Exception:  # whatever a module written for one example raises on a batch
            return False
        if any(leaf.shape[:1] != (size,) for leaf in jax.tree.leaves(outputs)):
            return False
    return True
