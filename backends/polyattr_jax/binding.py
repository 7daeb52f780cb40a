"""What a JAX user brings, as a function of (parameters, inputs)."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from polyattr.backend import BoundModel, held_objects
from polyattr.errors import UnrecognisedModelError
from polyattr_keras.models import (
    KerasLayers,
    keras_backend,
    keras_dtype,
    keras_entry,
    not_training,
)

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
        return _BoundKeras(model)
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


def signed(signature: inspect.Signature) -> Callable[..., Any]:
    """Returns a function with a signature: how a model takes its inputs, its state left out."""

    def entry(*args: Any, **kwargs: Any) -> None:
        """Stands for the model."""

    entry.__signature__ = signature  # type: ignore[attr-defined]  # `inspect` honours it
    return entry


class BoundFunction(BoundModel):
    """A function; the arrays it refers to are part of the compiled kernel."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, entry=function)

    def fingerprint(self) -> tuple[object, ...]:
        """The arrays the function computes with now."""
        return held_objects(self._function)


class ParametrisedModel(BoundModel):
    """A model whose parameters are arguments of the kernel: NumPy inputs follow them."""

    def parameters(self) -> Any:
        """The parameters, as they are now."""
        return self.state()

    @property
    def like(self) -> Any:  # type: ignore[override]  # read anew each time
        """A parameter of a floating dtype, or None if there is none on a device."""
        leaves = [leaf for leaf in self._floating() if isinstance(leaf, jax.Array)]
        return leaves[0] if leaves else None

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The dtype of the parameters."""
        names = [str(jax.dtypes.canonicalize_dtype(leaf.dtype)) for leaf in self._floating()]
        return names[0] if names else None

    def _floating(self) -> list[Any]:
        # Parameters read from a file may be NumPy arrays.
        leaves = [x for x in jax.tree.leaves(self.parameters()) if hasattr(x, "dtype")]
        return [leaf for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.floating)]


class _BoundKeras(KerasLayers, ParametrisedModel):
    """A Keras 3 model on JAX, called without side effects."""

    def __init__(self, model: Any) -> None:
        super().__init__(model, entry=keras_entry(model))

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The dtype the model takes."""
        return keras_dtype(self._function)

    def state(self) -> Any:
        """The values of all variables, as they are now."""
        model = self._function
        return (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
        )

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Calls the model with ``training=False`` and the given variables.

        Raises:
            UnrecognisedModelError: It has no variables yet.
        """
        model = self._function
        if not model.built:
            raise UnrecognisedModelError(
                f"the Keras model {type(model).__name__} is not built: its variables are made by "
                f"its first call; call it on some data first"
            )
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        # Not `stateless_call`, which skips what Keras does around `call`: casts, masks, the mode.
        mapping = zip(variables, [*state[0], *state[1]], strict=True)
        with sys.modules["keras"].StatelessScope(state_mapping=list(mapping)):
            return model(*args, **not_training(kwargs))
