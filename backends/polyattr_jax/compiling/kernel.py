"""Compiled JAX kernels, which can be traced again without being compiled again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import ClosedJaxpr, jaxpr_as_fun

from polyattr_jax.compiling.programs import devices_of, own_literals, same_program

_MOST_PROGRAMS = 32


class _AnotherTrace(Exception):  # noqa: N818  # ends a trace; nobody sees it
    """A program is asked for arguments, or under settings, that it was not traced for."""


class Kernel:
    """A function as compiled programs, one for each kind of arguments.

    Arrays the function refers to are arguments of its programs: other weights under the same names
    cost a trace, and no compilation.

    Args:
        function: What is compiled.
        donate: Number of an argument whose memory may be reused.
    """

    def __init__(self, function: Callable[..., Any], donate: int | None) -> None:
        self._function, self._donate = function, donate
        self._programs: list[_Program] = []
        self._trusted: dict[object, list[_Program]] = {}
        self._last: _Program | None = None

    def renew(self) -> None:
        """Trusts no program until the function was traced again."""
        self._trusted.clear()
        self._last = None

    def __call__(self, *args: Any) -> Any:
        """Runs the program for these arguments."""
        if not _compiling():
            return self._function(*args)
        if self._last is not None and len(self._trusted) == 1:
            try:
                return self._last(args)
            except _AnotherTrace:
                pass
        leaves, tree = jax.tree.flatten(args)
        key = (tree, tuple(map(_shape_of, leaves)))
        for program in self._trusted.get(key, []):
            try:
                return program(args)
            except _AnotherTrace:
                continue
        return self._trace(key, args)

    def _trace(self, key: object, args: Sequence[Any]) -> Any:
        # A new function each time: JAX keeps what it traced by the function.
        traced, shapes = jax.make_jaxpr(lambda *a: self._function(*a), return_shape=True)(*args)
        program = next((p for p in self._programs if p.is_for(traced, shapes)), None)
        if program is None:
            program = _Program(traced, shapes, self._donate)
            del self._programs[: 1 - _MOST_PROGRAMS]
            self._programs.append(program)
        result = program.first(traced.consts, args)
        self._last = program
        beside = self._trusted.setdefault(key, [])
        self._trusted[key] = [program, *(p for p in beside if p is not program)]
        return result


class _Program:
    """A traced program, compiled, with its constants as arguments."""

    def __init__(self, traced: Any, shapes: Any, donate: int | None) -> None:
        own_literals(traced.jaxpr)
        self._traced, self._tree = traced, _structure(shapes)
        self._constants: list[Any] = []
        self._open = False
        donated = () if donate is None else donate + 1
        self._run: Callable[..., Any] = jax.jit(self._evaluate, donate_argnums=donated)

    def is_for(self, traced: Any, shapes: Any) -> bool:
        """Says whether this is another program that was traced."""
        alike = bool(_structure(shapes) == self._tree)
        return alike and same_program(traced, self._traced)

    def first(self, constants: Sequence[Any], args: Sequence[Any]) -> Any:
        """Runs with the constants a new trace has found; only here may JAX compile."""
        places = set(devices_of(jax.tree.leaves(args)))
        self._constants = [_placed(constant, places) for constant in constants]
        self._open = True
        try:
            return self(args)
        finally:
            self._open = False

    def __call__(self, args: Sequence[Any]) -> Any:
        return self._run(self._constants, *args)

    def _evaluate(self, constants: Sequence[Any], *args: Any) -> Any:
        leaves = jax.tree.leaves(args)
        if not self._open and any(isinstance(leaf, jax.core.Tracer) for leaf in leaves):
            raise _AnotherTrace
        run = jaxpr_as_fun(ClosedJaxpr(self._traced.jaxpr, constants))
        return jax.tree.unflatten(self._tree, run(*leaves))


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


def _structure(tree: Any) -> Any:
    return jax.tree.structure(tree)


def _compiling() -> bool:
    settings: Any = jax.config  # its settings are made at run time
    return not settings.jax_disable_jit


def _shape_of(leaf: Any) -> Any:
    return leaf.shape if isinstance(leaf, jax.Array) else np.shape(leaf)
