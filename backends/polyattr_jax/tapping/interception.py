"""Tapping layers through the method interceptors that flax linen and haiku share in form."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from polyattr.backend import Visits


def interceptor(visits: Visits, place: Callable[[Any], Any]) -> Callable[..., Any]:
    """Returns what is to be called instead of every method of every module.

    Args:
        visits: Told of every call of a tapped module.
        place: Says where a module is, as the places of the taps do.
    """

    def intercept(method: Callable[..., Any], args: Any, kwargs: Any, context: Any) -> Any:
        if context.method_name == "__call__":
            here = place(context.module)
            for number, tap in enumerate(visits.taps):
                if tap.layer.place == here:
                    method = partial(_call, visits, number, method)
        return method(*args, **kwargs)

    return intercept


def _call(visits: Visits, number: int, method: Any, *args: Any, **kwargs: Any) -> Any:
    return visits.call(number, method, args, kwargs)
