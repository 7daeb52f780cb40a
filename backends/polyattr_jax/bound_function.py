"""A function of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from polyattr.backend import BoundModel


class BoundFunction(BoundModel):
    """A function; the arrays it refers to are part of the compiled kernel."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function, entry=function)
