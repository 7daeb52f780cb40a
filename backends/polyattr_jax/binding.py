"""What a JAX user brings, as a function of (parameters, inputs)."""

from __future__ import annotations

import sys
from typing import Any

import jax

from polyattr.backend import BoundModel, UnrecognisedModelError
from polyattr_jax.bound_function import BoundFunction
from polyattr_jax.bound_keras import BoundKeras
from polyattr_keras import keras_backend

_JITTED = type(jax.jit(lambda: None))

_LIBRARIES = {
    "nnx": ("flax.nnx:Module",),
    "nnx, split": ("flax.nnx:GraphDef",),
    "equinox": ("equinox:Module",),
    "linen": ("flax.linen:Module",),
    "haiku": (
        "haiku:Transformed",
        "haiku:TransformedWithState",
        "haiku:MultiTransformed",
        "haiku:MultiTransformedWithState",
    ),
}

_EXPECTED = (
    "expected a function of arrays, a flax, equinox or Keras model, or a tuple: (linen module, "
    "variables), (equinox module, state), (haiku transformed, params) or (haiku transformed, "
    "params, state). Of nnx.split: nnx.merge(graphdef, state); of a function and its parameters: "
    "lambda x: function(params, x); of a train state: lambda x: state.apply_fn({'params': "
    "state.params}, x)"
)


def is_model(candidate: object) -> bool:
    """A jitted function, a module of a library that computes with JAX, or a tuple with one."""
    if isinstance(candidate, _JITTED) or keras_backend(candidate) == "jax":
        return True
    # Tuples in a wrong order are claimed as well: `bind` says which order is right.
    parts = candidate if type(candidate) is tuple else (candidate,)
    kinds = tuple(kind for names in _LIBRARIES.values() for kind in _loaded(names))
    return any(isinstance(part, kinds) for part in parts)


def bind(model: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable, or a module without its variables.
    """
    if keras_backend(model) == "jax":
        return BoundKeras(model)
    first, *rest = model if type(model) is tuple and model else (model,)
    if isinstance(first, _loaded(_LIBRARIES["nnx"])) and not rest:
        from polyattr_jax.bound_nnx import BoundNnx

        return BoundNnx(first)
    if isinstance(first, _loaded(_LIBRARIES["equinox"])):
        from polyattr_jax.bound_equinox import bind_equinox

        return bind_equinox(first, rest)
    if isinstance(first, _loaded(_LIBRARIES["linen"])):
        from polyattr_jax.bound_linen import bind_linen

        return bind_linen(first, rest)
    if isinstance(first, _loaded(_LIBRARIES["haiku"])):
        from polyattr_jax.bound_haiku import bind_haiku

        return bind_haiku(first, rest)
    if rest or not callable(model):
        raise UnrecognisedModelError(f"the jax backend was given {_given(model)}; {_EXPECTED}")
    return BoundFunction(model)


def _given(model: Any) -> str:
    if type(model) is not tuple:
        return f"a {type(model).__name__}"
    return f"a tuple of {', '.join(type(part).__name__ for part in model) or 'nothing'}"


def _loaded(names: tuple[str, ...]) -> tuple[Any, ...]:
    """Returns the classes among "module:class" whose module is imported."""
    pairs = [name.split(":") for name in names]
    found = [getattr(sys.modules.get(module), kind, None) for module, kind in pairs]
    return tuple(kind for kind in found if kind is not None)
