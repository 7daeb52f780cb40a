"""Libraries that need not be there."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from polyattr.errors import MissingExtraError


def library(name: str, what: str) -> Any:
    """Imports a library that has an extra of its name.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        if error.name is not None and error.name.partition(".")[0] != name:
            raise  # it is there, and lacks something of its own
        raise MissingExtraError(what, name) from None
