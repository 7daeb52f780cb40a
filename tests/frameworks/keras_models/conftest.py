"""Collected where a framework must be there, or is; its own cases run in processes of their own."""

import importlib.util
import os

_KNOWN = ("torch", "tensorflow", "jax")
_demanded = os.environ.get("POLYATTR_TEST_BACKENDS")
FRAMEWORKS = [
    name
    for name in _KNOWN
    if (
        importlib.util.find_spec(name) is not None
        if _demanded is None
        else name in _demanded.replace(" ", "").split(",")
    )
]
collect_ignore_glob = [] if FRAMEWORKS else ["*"]


def pytest_generate_tests(metafunc):
    if "keras_backend" in metafunc.fixturenames:
        metafunc.parametrize("keras_backend", FRAMEWORKS)
