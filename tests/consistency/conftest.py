"""Collected where all three frameworks must be there, or are."""

import importlib.util
import os

_FRAMEWORKS = ("torch", "tensorflow", "jax")
_demanded = os.environ.get("POLYATTR_TEST_BACKENDS")
_here = (
    all(importlib.util.find_spec(name) for name in _FRAMEWORKS)
    if _demanded is None
    else set(_FRAMEWORKS) <= set(_demanded.replace(" ", "").split(","))
)
collect_ignore_glob = [] if _here else ["*"]
