"""Collected where all three frameworks must be there, or are."""

import importlib.util
import os
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "consistency_table.py"

_FRAMEWORKS = ("torch", "tensorflow", "jax")
_demanded = os.environ.get("POLYATTR_TEST_BACKENDS")
_here = (
    all(importlib.util.find_spec(name) for name in _FRAMEWORKS)
    if _demanded is None
    else set(_FRAMEWORKS) <= set(_demanded.replace(" ", "").split(","))
)
collect_ignore_glob = [] if _here else ["*"]


@pytest.fixture(scope="session")
def table():
    """The tool that writes the page: its networks are the ones compared here."""
    spec = importlib.util.spec_from_file_location("consistency_table", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
