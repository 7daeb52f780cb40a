"""One lab per framework: the same small vocabulary, so that a test is written once for all."""

import functools
import importlib
import importlib.util
import os

from polyattr import methods

LABS = {
    "torch": "labs.torch_lab:TorchLab",
    "tensorflow": "labs.tensorflow_lab:TensorFlowLab",
    "jax": "labs.jax_lab:JaxLab",
}
# Each new method is in every test that takes them all.
METHODS = [getattr(methods, name) for name in methods.__all__]


def asked_for():
    """Returns the names in POLYATTR_TEST_BACKENDS, in their order; None where it is not set."""
    asked = os.environ.get("POLYATTR_TEST_BACKENDS")
    return None if asked is None else [name.strip() for name in asked.split(",") if name.strip()]


def under_test(*known):
    """Picks those this session tests: all it was asked for, or without being asked all there is."""
    asked = asked_for()
    if asked is None:
        return [name for name in known if importlib.util.find_spec(name)]
    return [name for name in known if name in asked]


@functools.cache
def open_lab(name):
    """Imports a framework's lab, and with it the framework."""
    module, kind = LABS[name].split(":")
    return getattr(importlib.import_module(module), kind)()
