"""Which inputs a score depends on, read off the derivative's program."""

from __future__ import annotations

from typing import Any

import jax

from polyattr.backend import Score, Tensor


def depends_on(score: Score, rows: list[Tensor]) -> list[bool]:
    """Says for each input whether the derivative of the score reads its tangent.

    Cut paths (stop_gradient, casts to integers) have no tangent, so they are not part of the
    traced derivative, while values that merely happen to be zero are.
    """
    shapes = [jax.ShapeDtypeStruct(row.shape, row.dtype) for row in rows]
    program = jax.make_jaxpr(lambda x, t: jax.jvp(score, (x,), (t,))[1])(shapes, shapes).jaxpr
    tangents = program.invars[len(rows) :]
    return [_reaches(program, tangent) for tangent in tangents]


def _reaches(program: Any, start: Any) -> bool:
    reached = {start}
    for equation in program.eqns:
        if any(_is_variable(v) and v in reached for v in equation.invars):
            reached.update(equation.outvars)
    return any(_is_variable(v) and v in reached for v in program.outvars)


def _is_variable(atom: Any) -> bool:
    # Literals hold a value instead, and are not hashable.
    return not hasattr(atom, "val")
