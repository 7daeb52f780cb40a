"""Libraries that need not be there, and the extras that bring them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from polyattr.errors import MissingExtraError


def library(name: str, what: str, extra: str) -> Any:
    """Imports a library, or a module of one.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        root = name.partition(".")[0]
        if error.name is not None and error.name.partition(".")[0] != root:
            raise  # it is there, and lacks something of its own
        raise MissingExtraError(what, extra) from None
