"""Whether an object has an attribute, found without running any code of its own."""

from __future__ import annotations

from inspect import getattr_static
from typing import Any


def has(value: Any, name: str) -> bool:
    """Says whether a `value` has an attribute of this `name`.

    Unlike `hasattr`, which runs properties and a user's ``__getattr__``: those may raise anything.
    """
    return getattr_static(value, name, None) is not None
