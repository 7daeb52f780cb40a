"""One lab per framework: the same small vocabulary, so that a test is written once for all."""

import functools
import importlib

from polyattr import methods

# Each new method is in every test that takes them all.
METHODS = [getattr(methods, name) for name in methods.__all__]
LABS = {
    "torch": "labs.torch_lab:TorchLab",
    "tensorflow": "labs.tensorflow_lab:TensorFlowLab",
    "jax": "labs.jax_lab:JaxLab",
}


@functools.cache
def open_lab(name):
    """Imports a framework's lab, and with it the framework."""
    module, kind = LABS[name].split(":")
    return getattr(importlib.import_module(module), kind)()
