"""Compiled JAX kernels, which can be traced again without being compiled again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from polyattr_jax.compiling.bare import bare
from polyattr_jax.compiling.program import AnotherTrace, Leaves, Program, Shared
from polyattr_jax.compiling.programs import devices_of, own_literals

_MOST_PROGRAMS = 32


@dataclass(frozen=True)
class _Traced:
    """A function as it was traced: a program, and what it means for this function alone."""

    program: Program
    constants: Sequence[Any]
    arguments: Sequence[Any]
    result: Any

    def __call__(self, leaves: Leaves) -> Any:
        return jax.tree.unflatten(self.result, self.program.run(self.constants, leaves))


class Kernel:
    """A function as compiled programs, one for each kind of arguments.

    Arrays the function refers to are arguments of its programs: other weights under the same names
    cost a trace, and no compilation.

    Args:
        function: What is compiled.
        donate: Number of an argument whose memory may be reused.
        shared: Programs that any kernel may use.
    """

    def __init__(self, function: Callable[..., Any], donate: int | None, shared: Shared) -> None:
        self._function, self._donate, self._shared = function, donate, shared
        self._programs: list[Program] = []
        self._trusted: dict[object, list[_Traced]] = {}
        self._last: _Traced | None = None

    def renew(self) -> None:
        """Trusts no program until the function was traced again."""
        self._trusted.clear()
        self._last = None

    def __call__(self, *args: Any) -> Any:
        """Runs the program for these arguments."""
        if not _compiling():
            return self._function(*args)
        flat = [jax.tree.flatten(arg) for arg in args]
        leaves, trees = [part for part, _ in flat], tuple(tree for _, tree in flat)
        last = self._last
        if last is not None and len(self._trusted) == 1 and last.arguments == trees:
            try:
                return last(leaves)
            except AnotherTrace:
                pass
        key = (trees, tuple(_shape_of(leaf) for part in leaves for leaf in part))
        for traced in self._trusted.get(key, []):
            try:
                return traced(leaves)
            except AnotherTrace:
                continue
        return self._trace(key, args, leaves)

    def _trace(self, key: Any, args: Sequence[Any], leaves: Leaves) -> Any:
        # A new function each time: JAX keeps what it traced by the function.
        found, shapes = jax.make_jaxpr(lambda *a: self._function(*a), return_shape=True)(*args)
        plain = bare(found)
        closed = plain or found
        places = set(devices_of(leaf for part in leaves for leaf in part))
        constants = [_placed(constant, places) for constant in closed.consts]
        program, values = self._found(closed.jaxpr, plain is not None, constants, leaves)
        self._programs = [p for p in self._programs if p is not program][1 - _MOST_PROGRAMS :]
        self._programs.append(program)
        if plain is not None:
            self._shared.used(program)
        self._last = traced = _Traced(program, constants, key[0], jax.tree.structure(shapes))
        self._trusted[key] = [traced, *self._trusted.get(key, [])[: _MOST_PROGRAMS - 1]]
        return jax.tree.unflatten(traced.result, values)

    def _found(
        self, outline: Any, plain: bool, constants: Sequence[Any], leaves: Leaves
    ) -> tuple[Program, list[Any]]:
        """Returns a program that computes what was traced, and what it gives."""
        donate = self._donate
        own = [program for program in self._programs if program.is_for(outline, donate)]
        for program in [*own, *(self._shared.alike(outline, donate) if plain else [])]:
            try:
                return program, program.run(constants, leaves)
            except AnotherTrace:  # equal, and yet compiled for arguments elsewhere, say
                continue
        own_literals(outline)
        program = Program(outline, donate)
        return program, program.start(constants, leaves)


def _placed(constant: Any, places: set[Any]) -> Any:
    """Copies what NumPy may write into, and moves what lies on another device than the call."""
    if not isinstance(constant, jax.Array):
        constant = jnp.array(constant)
    if len(places) != 1 or not hasattr(constant, "devices"):
        return constant
    (place,) = places
    if len(place) != 1 or len(constant.devices()) != 1 or constant.devices() == place:
        return constant
    return jax.device_put(constant, next(iter(place)))


def _compiling() -> bool:
    settings: Any = jax.config  # its settings are made at run time
    return not settings.jax_disable_jit


def _shape_of(leaf: Any) -> Any:
    return leaf.shape if isinstance(leaf, jax.Array) else np.shape(leaf)
