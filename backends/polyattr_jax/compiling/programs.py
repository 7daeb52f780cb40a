"""When two traced programs are the same: equations, shapes and constants in them, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jax
import numpy as np

# How the function was made, not what it computes: a kernel is run and never differentiated.
_DERIVATIVES = {
    "custom_jvp_call": {"jvp_jaxpr_fun", "jvp_jaxpr_thunk", "jvp"},
    "custom_vjp_call": {"fwd_jaxpr_thunk", "bwd", "fwd"},
    "custom_vjp_call_jaxpr": {"fwd_jaxpr_thunk", "bwd", "fwd"},
}


def same_program(a: Any, b: Any) -> bool:
    """Says whether two programs compute the same from constants, whatever these are.

    What cannot be compared counts as different.
    """
    try:
        return _same(a, b)
    except Exception:  # an object in it that compares itself in a way of its own
        return False


def own_literals(program: Any) -> None:
    """Copies the numbers a program has from arrays, which the user may write into later."""
    for literal in _literals(program):
        if isinstance(literal.val, np.ndarray):
            literal.val = literal.val.copy()


def _literals(program: Any) -> Iterator[Any]:
    for equation in program.eqns:
        yield from (atom for atom in equation.invars if hasattr(atom, "val"))
        for inner in jax.tree.leaves(list(equation.params.values()), is_leaf=_is_program):
            if _is_program(inner):
                yield from _literals(getattr(inner, "jaxpr", inner))
    yield from (atom for atom in program.outvars if hasattr(atom, "val"))


def _is_program(value: Any) -> bool:
    return hasattr(value, "eqns") or hasattr(value, "jaxpr")


def _same(a: Any, b: Any) -> bool:
    """Compares two programs, constants and arguments by their places."""
    if a is b:
        return True
    known: dict[Any, Any] = {}
    heads = ((a.constvars, b.constvars), (a.invars, b.invars))
    if not all(_bind(x, y, known) for x, y in heads) or len(a.eqns) != len(b.eqns):
        return False
    for one, other in zip(a.eqns, b.eqns, strict=True):
        if one.primitive is not other.primitive or not _read(one.invars, other.invars, known):
            return False
        if not _same_params(one, other) or not _same_context(one, other):
            return False
        if not _bind(one.outvars, other.outvars, known):
            return False
    return _read(a.outvars, b.outvars, known)


def _bind(a: Any, b: Any, known: dict[Any, Any]) -> bool:
    known.update(zip(a, b, strict=True))
    return all(x.aval == y.aval for x, y in zip(a, b, strict=True))


def _read(a: Any, b: Any, known: dict[Any, Any]) -> bool:
    return len(a) == len(b) and all(_same_atom(x, y, known) for x, y in zip(a, b, strict=True))


def _same_atom(a: Any, b: Any, known: dict[Any, Any]) -> bool:
    literal, other = hasattr(a, "val"), hasattr(b, "val")
    if literal and other:
        return bool(a.aval == b.aval) and _same_value(a.val, b.val)
    return not literal and not other and known.get(a) is b


def _same_params(a: Any, b: Any) -> bool:
    skipped = _DERIVATIVES.get(a.primitive.name, set())
    if a.params.keys() != b.params.keys():
        return False
    return all(_same_param(a.params[key], b.params[key]) for key in a.params if key not in skipped)


def _same_context(a: Any, b: Any) -> bool:
    # Where it computes, and what the compiler is told: no parameter of the equation.
    one, other = getattr(a, "ctx", None), getattr(b, "ctx", None)
    return one is other or repr(one) == repr(other)


def _same_param(a: Any, b: Any) -> bool:
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(_same_param, a, b))
    if hasattr(a, "eqns"):
        return _same(a, b)
    if hasattr(a, "jaxpr"):
        return (
            _same(a.jaxpr, b.jaxpr)
            and len(a.consts) == len(b.consts)
            and all(map(_same_value, a.consts, b.consts))
        )
    if isinstance(a, float | complex | np.generic | np.ndarray | jax.Array):
        return _same_value(a, b)
    return bool(a == b)


def _same_value(a: Any, b: Any) -> bool:
    """Compares to the bit: 0.0 and -0.0 differ, NaN is NaN."""
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, jax.core.Tracer):
        return False
    one, other = np.asarray(a), np.asarray(b)
    return (one.dtype, one.shape) == (other.dtype, other.shape) and one.tobytes() == other.tobytes()


def devices_of(arrays: Any) -> Iterator[Any]:
    """Yields the set of devices of each array that is on any."""
    for array in arrays:
        if isinstance(array, jax.Array) and not isinstance(array, jax.core.Tracer):
            yield frozenset(array.devices())
