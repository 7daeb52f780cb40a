"""What a JAX user brings, as a function of (parameters, inputs)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from polyattr.backend import BoundModel
from polyattr.closures import held_objects
from polyattr.errors import UnrecognisedModelError
from polyattr.keras_models import KerasLayers, keras_backend, keras_dtype, keras_entry

_JITTED = type(jax.jit(lambda: None))


def is_model(candidate: object) -> bool:
    """A jitted function, or a module of a library that computes with JAX."""
    if isinstance(candidate, _JITTED) or keras_backend(candidate) == "jax":
        return True
    return any(isinstance(candidate, kind) for kind in (_nnx(), _linen(), _equinox()) if kind)


def bind(model: Any) -> BoundModel:
    """Binds whatever kind of model this is.

    Raises:
        UnrecognisedModelError: Not callable, or a linen module without its variables.
    """
    if keras_backend(model) == "jax":
        return _BoundKeras(model)
    if (nnx := _nnx()) and isinstance(model, nnx):
        from polyattr_jax.bound_nnx import BoundNnx

        return BoundNnx(model)
    if (equinox := _equinox()) and isinstance(model, equinox):
        from polyattr_jax.bound_equinox import BoundEquinox

        return BoundEquinox(model)
    if (linen := _linen()) and isinstance(model, linen):
        return _BoundLinen(model)
    if not callable(model):
        raise UnrecognisedModelError(
            f"the jax backend was given a {type(model).__name__}; expected a function of arrays or "
            f"a flax, equinox or Keras model"
        )
    return BoundFunction(model)


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
        """A parameter, or None if there is none of a floating dtype."""
        leaves = jax.tree.leaves(self.parameters())
        return next((x for x in leaves if jnp.issubdtype(x.dtype, jnp.floating)), None)

    @property
    def dtype(self) -> str | None:  # type: ignore[override]  # read anew each time
        """The dtype of the parameters."""
        like = self.like
        return None if like is None else str(like.dtype)


class _BoundLinen(ParametrisedModel):
    """A linen module bound to its variables."""

    kind = "flax linen module"

    def __init__(self, model: Any) -> None:
        if model.scope is None:
            raise UnrecognisedModelError(
                f"{type(model).__name__} is a flax linen module without its variables; expected "
                f"model.bind(variables), or the function lambda x: model.apply(variables, x)"
            )
        self._module, self._variables = model.unbind()
        super().__init__(model, entry=model.__call__)

    def parameters(self) -> Any:
        """The trainable parameters: statistics may be kept wider."""
        return self._variables.get("params", self._variables)

    def state(self) -> Any:
        """The variables."""
        return self._variables

    def run(self, state: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Applies the module."""
        return self._module.apply(state, *args, **kwargs)


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
        """Calls the model with ``training=False`` and the given variables."""
        return self._function.stateless_call(*state, *args, **kwargs, training=False)[0]


def _nnx() -> Any:
    return getattr(sys.modules.get("flax.nnx"), "Module", None)


def _linen() -> Any:
    return getattr(sys.modules.get("flax.linen"), "Module", None)


def _equinox() -> Any:
    return getattr(sys.modules.get("equinox"), "Module", None)
