"""What to say of errors that JAX and its libraries raise in models, and how to avoid them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

from jax.errors import JAXTypeError, NonConcreteBooleanIndexError

from polyattr.backend import ModelOutputError

_SWITCHES = {
    "train": False,
    "training": False,
    "is_training": False,
    "is_train": False,
    "deterministic": True,
    "use_running_average": True,
    "inference": True,
    "eval": True,
    "eval_mode": True,
}
# What flax and haiku raise where only training needs what is missing.
_IN_TRAINING = {"ModifyScopeVariableError", "InvalidRngError", "MissingRNGError"}


def mode_advice(entry: Callable[..., Any] | None, given: Collection[str]) -> str:
    """Names the argument that says so, where a model has one that was not given.

    Args:
        entry: The callable whose signature counts.
        given: Names of the keyword arguments it was called with.
    """
    try:
        known = inspect.signature(entry).parameters if entry is not None else {}
    except (TypeError, ValueError):
        return ""
    missing = {
        name: value
        for name, value in _SWITCHES.items()
        if name in known and name not in given and known[name].default is not value
    }
    if not missing:
        return ""
    listed = ", ".join(f"{name!r}: {value}" for name, value in missing.items())
    return (
        f". It takes {' and '.join(missing)}, which may say that it is being trained: pass "
        f"forward_kwargs={{{listed}}}"
    )


def training_advice(error: Exception) -> str:
    """Says of an error of flax or haiku, inside a function, that it is one of training."""
    if type(error).__name__ not in _IN_TRAINING:
        return ""
    return (
        ". A module it applies is being trained: call that with train=False, deterministic=True, "
        "is_training=False or what it takes"
    )


def check_values(error: Exception) -> None:
    """Says of an error of JAX that the model reads what has no value yet.

    Raises:
        ModelOutputError: It does.
    """
    if isinstance(error, JAXTypeError | NonConcreteBooleanIndexError):
        raise ModelOutputError(
            f"the function reads values of its inputs, which have none while its gradient is "
            f"derived; expected jax.numpy in the place of NumPy, jnp.where or jax.lax.cond in the "
            f"place of `if`, and no float(), int() or .item() of what is computed from them (it "
            f"raised {type(error).__name__}: {str(error).splitlines()[0]})"
        ) from error
