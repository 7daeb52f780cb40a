"""Traced programs with nothing of the user's in them, so that explainers may share them."""

from __future__ import annotations

import types
from collections.abc import Iterable
from enum import Enum
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr
from jax.sharding import Mesh, Sharding

try:
    from jax.extend.core import Primitive, primitives
    from jax.sharding import AbstractMesh
except ImportError:  # an older JAX: there, fewer programs are known to be plain
    _CALL: Any = None
    _KINDS: tuple[Any, ...] = ()
    _MESHES: tuple[Any, ...] = (Mesh,)
else:
    _CALL = primitives.closed_call_p
    _KINDS, _MESHES = (Primitive,), (Mesh, AbstractMesh)

# Where a call has its program; beside it are the functions of custom derivatives, which a program
# that is run, and never differentiated, has no use for.
_CUSTOM = {
    "custom_jvp_call": "call_jaxpr",
    "custom_vjp_call": "call_jaxpr",
    "custom_vjp_call_jaxpr": "fun_jaxpr",
}
_JITTED = {"jit": "jaxpr", "pjit": "jaxpr"}
_MOST_NUMBERS = 16
"""Numbers of a constant within a program: more may be weights, which are not to be kept."""
_PLAIN = (bool, int, float, complex, str, bytes, Enum, np.dtype, *_KINDS)
_PLACES = (Sharding, *_MESHES)
_LAX = ("jax._src.lax.", "jax._src.named_sharding", "jax._src.sharding_impls", "jax._src.prng")

Hoisted = dict[Any, Any]
"""Constants of a program by the variables they are read from."""


class _HoldsMore(Exception):  # noqa: N818  # ends a walk; nobody sees it
    """A program holds something that may be, or may keep, an object of the user's."""


def bare(program: Any) -> Any | None:
    """Returns a closed program that computes the same, or None where it may hold more.

    All of its arrays are its constants, which are arguments once it is compiled, and functions of
    custom derivatives are left out. Programs that call back to Python are left alone.
    """
    try:
        if program.jaxpr.effects:
            return None
        jaxpr, hoisted = _bare(program.jaxpr)
        names = [*program.jaxpr.constvars, *hoisted]
        whole = jaxpr.replace(constvars=names) if hoisted else jaxpr
        return ClosedJaxpr(whole, [*program.consts, *hoisted.values()])
    except Exception:  # of another JAX, whose programs are made of other parts
        return None


def _bare(jaxpr: Any) -> tuple[Any, Hoisted]:
    hoisted: Hoisted = {}
    equations = [_equation(equation, hoisted) for equation in jaxpr.eqns]
    _check_literals(jaxpr.outvars)
    if all(new is old for new, old in zip(equations, jaxpr.eqns, strict=True)):
        return jaxpr, hoisted
    return jaxpr.replace(eqns=equations), hoisted


def _equation(equation: Any, hoisted: Hoisted) -> Any:
    name = equation.primitive.name
    _check_literals(equation.invars)
    place = _CUSTOM.get(name) or _JITTED.get(name)
    if place is None:
        params = {key: _part(value) for key, value in equation.params.items()}
        return _changed(equation, params)
    call = equation.params[place]
    body, inner = _bare(call.jaxpr)
    inner = {**dict(zip(call.jaxpr.constvars, call.consts, strict=True)), **inner}
    if name in _JITTED:
        params = {key: _part(v) for key, v in equation.params.items() if key != place}
        if not inner:
            same = body is call.jaxpr
            return _changed(equation, {place: call if same else ClosedJaxpr(body, ()), **params})
        if any(isinstance(leaf, Sharding) for leaf in jax.tree.leaves(list(params.values()))):
            raise _HoldsMore
    twice = any(hoisted.setdefault(key, value) is not value for key, value in inner.items())
    if twice or _CALL is None:
        raise _HoldsMore
    taken, names = [*inner, *body.invars], body.debug_info._replace(arg_names=None)
    closed = ClosedJaxpr(body.replace(constvars=[], invars=taken, debug_info=names), ())
    invars = [*inner, *equation.invars]
    return equation.replace(primitive=_CALL, invars=invars, params={"call_jaxpr": closed})


def _changed(equation: Any, params: dict[str, Any]) -> Any:
    same = all(params[key] is value for key, value in equation.params.items())
    return equation if same else equation.replace(params=params)


def _part(value: Any) -> Any:
    """Returns a parameter of an equation, programs in it bare.

    Raises:
        _HoldsMore: It is none of the kinds that are known to hold nothing of the user's.
    """
    if value is None or isinstance(value, _PLAIN + _PLACES) or _is_of_jax(value):
        return value
    if isinstance(value, dict):
        parts = {key: _part(held) for key, held in value.items()}
        return value if all(parts[key] is value[key] for key in value) else parts
    if isinstance(value, tuple | list | frozenset | set):
        return _sequence(value, [_part(held) for held in value])
    if isinstance(value, np.ndarray | np.generic) and value.size <= _MOST_NUMBERS:
        return value.copy()
    inner = getattr(value, "jaxpr", value)
    if not hasattr(inner, "eqns"):
        raise _HoldsMore
    body, hoisted = _bare(inner)
    if hoisted or getattr(value, "consts", None):
        raise _HoldsMore
    if body is inner:
        return value
    return ClosedJaxpr(body, ()) if inner is not value else body


def _sequence(value: Any, parts: list[Any]) -> Any:
    if all(new is old for new, old in zip(parts, value, strict=True)):
        return value
    return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)


def _is_of_jax(value: Any) -> bool:
    """Says whether a value is JAX's own: a dtype, how dimensions are numbered, a function of it."""
    if isinstance(value, type):
        return issubclass(value, np.generic)
    if isinstance(value, types.FunctionType):
        return value.__module__.startswith("jax.") and value.__closure__ is None
    return type(value).__module__.startswith(_LAX) and not callable(value)


def _check_literals(atoms: Iterable[Any]) -> None:
    values = [atom.val for atom in atoms if hasattr(atom, "val")]
    if any(isinstance(v, jax.Array) or np.size(v) > _MOST_NUMBERS for v in values):
        raise _HoldsMore
