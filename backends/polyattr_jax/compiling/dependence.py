"""Which inputs a score depends on, read off the derivative's program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from polyattr.backend import Score

# JAX leaves its arguments without types.
_outline: Callable[..., jax.ShapeDtypeStruct] = jax.ShapeDtypeStruct


def depends_on(score: Score, rows: list[jax.Array]) -> list[bool]:
    """Says for each input whether the derivative of the score reads its tangent.

    Cut paths (stop_gradient, casts to integers) have no tangent, so they are not part of the
    traced derivative, while values that merely happen to be zero are.
    """
    shapes = [_outline(row.shape, row.dtype) for row in rows]
    program = jax.make_jaxpr(lambda x, t: jax.jvp(score, (x,), (t,))[1])(shapes, shapes).jaxpr
    places = range(len(rows), 2 * len(rows))
    return [any(_reached(program, [i == at for i in range(2 * len(rows))])) for at in places]


def _reached(program: Any, starts: list[bool]) -> list[bool]:
    """Says which outputs of a program depend on any of the marked inputs."""
    found = {v for v, start in zip(program.invars, starts, strict=True) if start}
    for equation in program.eqns:
        read = [_is_variable(v) and v in found for v in equation.invars]
        if any(read):
            written = zip(equation.outvars, _written(equation, read), strict=True)
            found.update(v for v, hit in written if hit)
    return [_is_variable(v) and v in found for v in program.outvars]


def _written(equation: Any, read: list[bool]) -> list[bool]:
    # What a jitted function calls is looked into; of a loop or a branch all outputs count.
    if equation.primitive.name in {"jit", "pjit"}:
        return _reached(equation.params["jaxpr"].jaxpr, read)
    return [True] * len(equation.outvars)


def _is_variable(atom: Any) -> bool:
    # Literals hold a value instead, and are not hashable.
    return not hasattr(atom, "val")
