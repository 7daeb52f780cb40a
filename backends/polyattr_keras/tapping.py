"""Reading or replacing what Keras layers take and return, while the model runs."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from polyattr.backend import Tap, Visits

# Replacing a layer's `call` is seen by every thread that runs the model.
_capturing = threading.Lock()


@contextmanager
def tapped(
    taps: Sequence[Tap], plain: Sequence[tuple[Any, str, Callable[..., Any]]] = ()
) -> Iterator[Visits]:
    """Taps layers while the block runs; they are as before afterwards.

    Args:
        taps: Where.
        plain: Further methods to replace: (layer, name of the method, replacement).
    """
    visits = Visits(taps)
    with _capturing, ExitStack() as stack:
        for layer, name, function in plain:
            stack.enter_context(_attribute(layer, name, function))
        for number, tap in enumerate(taps):
            stack.enter_context(_replaced(tap.layer.place, visits, number))
        yield visits


@contextmanager
def _replaced(layer: Any, visits: Visits, number: int) -> Iterator[None]:
    original = layer.call

    def call(*args: Any, **kwargs: Any) -> Any:
        return visits.call(number, original, args, kwargs)

    call.__signature__ = inspect.signature(original)  # type: ignore[attr-defined]  # `inspect` honours it
    with _attribute(layer, "call", call):
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
