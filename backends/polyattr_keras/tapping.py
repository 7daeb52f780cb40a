"""Reading or replacing what Keras layers take and return, while the model runs."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from polyattr.backend import Visits
from polyattr_keras.logits import BeforeActivation

# Replacing a layer's methods is seen by every thread that runs the model.
_replacing = threading.RLock()

Methods = Sequence[tuple[Any, str, Callable[..., Any]]]
"""Methods of layers to replace: (layer, name, replacement)."""


@contextmanager
def tapped(visits: Visits, methods: Methods = ()) -> Iterator[None]:
    """Taps layers while the block runs; they are as before afterwards.

    Args:
        visits: Told of every call of a tapped layer.
        methods: Further methods to replace.
    """
    with replaced(methods), ExitStack() as stack:
        for number, tap in enumerate(visits.taps):
            stack.enter_context(_told(tap.layer.place, visits, number))
        yield


@contextmanager
def replaced(methods: Methods) -> Iterator[None]:
    """Replaces methods of layers while the block runs."""
    with _replacing, ExitStack() as stack:
        for layer, name, function in methods:
            stack.enter_context(_attribute(layer, name, function))
        yield


@contextmanager
def _told(layer: Any, visits: Visits, number: int) -> Iterator[None]:
    before = isinstance(layer, BeforeActivation)
    layer, name = (layer.layer, layer.method) if before else (layer, "call")
    original, owner = getattr(layer, name), threading.get_ident()

    def call(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != owner:  # the user's own, meanwhile
            return original(*args, **kwargs)
        if not before:
            return visits.call(number, original, args, kwargs)
        args, kwargs = visits.arguments(number, args, kwargs)
        return original(*args, **kwargs)

    call.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]  # `inspect` honours it
    with _attribute(layer, name, call):
        yield


@contextmanager
def _attribute(layer: Any, name: str, value: Any) -> Iterator[None]:
    """Sets an attribute of the object itself, past what Keras does on setting one."""
    has, own = name in layer.__dict__, layer.__dict__.get(name)
    layer.__dict__[name] = value
    try:
        yield
    finally:
        del layer.__dict__[name]
        if has:
            layer.__dict__[name] = own
