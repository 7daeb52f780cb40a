"""A method as a data set needs it: samples that are not finite are marked, and the rest is done."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from polyattr.datasets.model.fingerprint import fingerprint
from polyattr.errors import InputTypeError
from polyattr.explainer import Explainer


def marking(method: Any) -> Any:
    """Returns the method with ``on_nonfinite="mark"``, that of a method inside included."""
    if method.inner() is not None:
        inner = marking(method.inner())
        return method if inner is method.inner() else replace(method, of=inner)
    if method.on_nonfinite == "mark":
        return method
    return replace(method, on_nonfinite="mark")


def check_method(method: Any, what: str) -> Any:
    """Checks for a finished method.

    Raises:
        InputTypeError: Something else.
    """
    if not isinstance(method, Explainer):
        raise InputTypeError(
            f"{what} is {type(method).__name__}; expected a method of polyattr, such as "
            f"IntegratedGradients(model)"
        )
    return method


def innermost(method: Any) -> Any:
    """The method that holds the model."""
    return method if method.inner() is None else innermost(method.inner())


def known_by(method: Any) -> dict[str, str]:
    """What a method's answers depend on, for a manifest: its text, and digests of what it holds."""
    core = innermost(method)
    held: list[Any] = []
    at: Any = method
    while at is not None:
        own = [
            entry.name for entry in fields(at) if entry.init and entry.name not in ("model", "of")
        ]
        held.append({name: getattr(at, name) for name in own})
        at = at.inner()
    return {
        "text": repr(method),
        "arguments": fingerprint(held),
        "model": f"{type(core.model).__module__}.{type(core.model).__qualname__}",
        "weights": fingerprint(core.model),
    }
