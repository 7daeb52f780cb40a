"""How a Keras model is called: its inputs, the mode that is an argument, the dtype it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from polyattr.backend import InputError


def keras_entry(model: Any) -> Callable[..., Any] | None:
    """Returns what takes several inputs one by one: a subclass's own `call`, None for graphs."""
    return None if _is_graph(model) else input_entry(inspect.signature(model.call))


def input_entry(signature: inspect.Signature) -> Callable[..., Any]:
    """Returns a stand-in for a Keras `call` that takes inputs only: no mode, a mask by name."""
    kinds = inspect.Parameter
    kept = [
        kinds(p.name, kinds.KEYWORD_ONLY, default=None) if p.name == "mask" else p
        for p in signature.parameters.values()
        if p.name != "training" and p.kind is not kinds.VAR_KEYWORD
    ]

    def entry(*args: Any, **kwargs: Any) -> None:
        """Stands for `call` without its reserved arguments."""

    entry.__signature__ = inspect.Signature(sorted(kept, key=lambda p: p.kind))  # type: ignore[attr-defined]  # `inspect` honours it
    return entry


def not_training(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Adds ``training=False`` to the keyword arguments of a call.

    Raises:
        InputError: They ask for the other mode.
    """
    if kwargs.get("training"):
        raise InputError(
            f"the call has training={kwargs['training']!r}, but the model is always explained in "
            f"inference mode; leave it out"
        )
    return {**kwargs, "training": False}


def check_inputs(model: Any, args: Sequence[Any]) -> None:
    """Checks that a graph is given as many inputs as it has: Keras leaves out what is too many.

    Raises:
        InputError: It is given a list or tuple of another length.
    """
    given = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else None
    if given is None or not _is_graph(model):
        return
    known, count = getattr(model, "inputs", None), _count(given)
    if known and count != len(known):
        raise InputError(
            f"the model {model.name!r} has {len(known)} input{'s' * (len(known) != 1)}, but is "
            f"given a {type(given).__name__} of {count}; expected one for each"
        )


def _count(value: Any) -> int:
    """Counts what nested containers hold."""
    if isinstance(value, Mapping):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list | tuple) else 1


def keras_dtype(model: Any) -> str | None:
    """Names the dtype a model takes: that of its symbolic inputs, else of its variables.

    The model's own policy says little: it stays float32 around layers that compute in float64.
    """
    known = [*(getattr(model, "inputs", None) or []), *model.variables]
    names = [str(getattr(entry.dtype, "name", entry.dtype)) for entry in known]
    return next((name for name in names if "float" in name), None)


def _is_graph(model: Any) -> bool:
    return any(kind.__name__ in {"Functional", "Sequential"} for kind in type(model).__mro__)
