"""Reaches layers that a model calls inside `jax.vmap`, `jax.jit` or `jax.checkpoint`.

A layer called there sees tracers that mean nothing outside. So it marks its activation with a
primitive, which the transformations carry along; the traced program is then run operation by
operation, and at a mark the whole activation is there to be read or replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from polyattr.backend import LayerNotFoundError, Tap, Visits

# What only wraps a program: run through as if it were not there.
_WRAPPERS = frozenset({"jit", "pjit", "closed_call", "remat", "remat2", "checkpoint"})


@dataclass(frozen=True, eq=False)
class _Call:
    """One call of a tapped layer, as a mark remembers it.

    JAX keeps it in its caches: it must hold no array, tracer or layer alive.

    Attributes:
        run: Stands for the run that set the mark.
        number: Which of its taps.
        name: The layer's name, for messages.
        build: Puts arrays into the containers of the activation.
    """

    run: object
    number: int
    name: str
    build: Callable[[Sequence[Any]], Any]


class _Marking(Visits):
    """Marks activations while the model is traced."""

    def __init__(self, taps: Sequence[Tap]) -> None:
        super().__init__(taps)
        self.run = object()

    def visit(self, number: int, activation: Any) -> Any:
        arrays, build = _split(activation)
        name = self.taps[number].layer.name
        return build(_mark.bind(*arrays, call=_Call(self.run, number, name, build)))


def run_marked(
    function: Callable[[Visits], Any], taps: Sequence[Tap]
) -> tuple[Any, list[list[Any]]]:
    """Runs a model whose tapped layers visit.

    Args:
        function: Calls the model; its layers are to call `visits.call`.
        taps: The taps.

    Returns:
        What `function` returns, and for each tap the activations of all calls of its layer.

    Raises:
        LayerNotFoundError: A layer is called inside a loop or branch of the compiled program.
    """
    if not taps:
        return function(Visits(())), []
    marking, visits = _Marking(taps), Visits(taps)
    builders = []

    def traced() -> list[Any]:
        arrays, build = _split(function(marking))
        builders.append(build)
        return arrays

    program = jax.make_jaxpr(traced)()

    def visit(call: _Call, values: list[Any]) -> list[Any]:
        if call.run is not marking.run:  # left in a jitted function's cache by another run
            return values
        return _split(visits.visit(call.number, call.build(values)))[0]

    outputs = _evaluate(program.jaxpr, program.consts, [], visit)
    return builders[-1](outputs), visits.seen


def _split(value: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """Takes the arrays out of nested containers; returns them and what puts others there."""
    leaves, tree = jax.tree.flatten(value)
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, jax.Array)]
    # Without the arrays: JAX keeps `build` in its caches, and they may be tracers.
    rest = [None if isinstance(leaf, jax.Array) else leaf for leaf in leaves]

    def build(arrays: Sequence[Any]) -> Any:
        filled = list(rest)
        for place, array in zip(places, arrays, strict=True):
            filled[place] = array
        return jax.tree.unflatten(tree, filled)

    return [leaves[place] for place in places], build


def _evaluate(
    program: Any, constants: Sequence[Any], arguments: Sequence[Any], visit: Callable[..., Any]
) -> list[Any]:
    """Runs a traced program, handing what is marked to `visit`."""
    known = dict(zip([*program.constvars, *program.invars], [*constants, *arguments], strict=True))

    def read(atom: Any) -> Any:
        return atom.val if hasattr(atom, "val") else known[atom]

    for equation in program.eqns:
        values = [read(atom) for atom in equation.invars]
        known.update(zip(equation.outvars, _apply(equation, values, visit), strict=True))
    return [read(atom) for atom in program.outvars]


def _apply(equation: Any, values: list[Any], visit: Callable[..., Any]) -> list[Any]:
    primitive = equation.primitive
    if primitive is _mark:
        found: list[Any] = visit(equation.params["call"], values)
        return found
    if marked := next(_marks_in(equation), None):
        if primitive.name not in _WRAPPERS:
            raise LayerNotFoundError(
                f"layer {marked.name!r} is called inside {primitive.name!r}, a loop, branch or "
                f"custom derivative, where its activation cannot be reached; name a layer outside "
                f"it, or pass a function that returns or takes the activation"
            )
        (inner,) = _programs(equation)
        # The program of a jitted part holds its constants, that of a checkpoint has none.
        constants = getattr(inner, "consts", ())
        return _evaluate(getattr(inner, "jaxpr", inner), constants, values, visit)
    bound = primitive.get_bind_params(equation.params)
    parts, params = bound if isinstance(bound, tuple) else ((), bound)
    with equation.ctx.manager:
        results = primitive.bind(*parts, *values, **params)
    return list(results) if primitive.multiple_results else [results]


def _marks_in(equation: Any) -> Iterator[_Call]:
    for program in _programs(equation):
        for inner in getattr(program, "jaxpr", program).eqns:
            if inner.primitive is _mark:
                yield inner.params["call"]
            yield from _marks_in(inner)


def _programs(equation: Any) -> Iterator[Any]:
    """The programs an operation runs, such as the branches of a condition."""
    for value in equation.params.values():
        for entry in value if isinstance(value, tuple | list) else (value,):
            if hasattr(getattr(entry, "jaxpr", entry), "eqns"):
                yield entry


def _batch(values: Sequence[Any], axes: Sequence[Any], *, call: _Call) -> tuple[Any, Any]:
    """Under `jax.vmap` the mapped axis goes first, also of what is the same for all."""
    size = next(v.shape[a] for v, a in zip(values, axes, strict=True) if a is not None)
    moved = [
        jnp.broadcast_to(v, (size, *v.shape)) if a is None else jnp.moveaxis(v, a, 0)
        for v, a in zip(values, axes, strict=True)
    ]
    return _mark.bind(*moved, call=call), [0] * len(moved)


def _differentiate(values: Sequence[Any], tangents: Sequence[Any], *, call: _Call) -> Any:
    return _mark.bind(*values, call=call), list(tangents)


def _same(*values: Any, call: _Call) -> list[Any]:  # noqa: ARG001  # the signature of a rule
    return list(values)


def _lower(context: Any, *values: Any, call: _Call) -> list[Any]:  # noqa: ARG001  # as above
    return list(values)


# JAX leaves its methods without types.
_mark: Any = Primitive("polyattr_mark")
_mark.multiple_results = True
_mark.def_impl(_same)
_mark.def_abstract_eval(_same)
batching.primitive_batchers[_mark] = _batch
ad.primitive_jvps[_mark] = _differentiate
# A mark that stays in a program, in the cache of a jitted function, does nothing.
mlir.register_lowering(_mark, _lower)
