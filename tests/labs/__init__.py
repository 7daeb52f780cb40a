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
EVERY_METHOD = [getattr(methods, name) for name in methods.__all__]
# Those that need nothing but a model.
METHODS = [method for method in EVERY_METHOD if not hasattr(method, "background")]
NOISY = [method for method in EVERY_METHOD if hasattr(method, "noise_source")]
# Those that take more than one gradient per sample.
SUMMED = [m for m in EVERY_METHOD if hasattr(m, "steps") or hasattr(m, "nb_samples")]


def on_images(method, axes=(2, 3)):
    """The class `method`, told which axes of an image are space if it has to know."""
    return functools.partial(method, axes=axes) if hasattr(method, "axes") else method


def named(kinds):
    """Returns the names of the classes `kinds`, for tests that go by name."""
    return [kind.__name__ for kind in kinds]


def settings_of(kinds, table):
    """Returns a table of settings by name, which must have a row for each class of `kinds`."""
    if apart := set(named(kinds)) ^ set(table):
        raise LookupError(
            f"{', '.join(sorted(apart))}: expected one row of settings for each of "
            f"{named(kinds)}, found {list(table)}; add a row for a new method"
        )
    return table


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


# Whether any of them compiles what it explains.
COMPILED = bool({"tensorflow", "jax"} & set(under_test(*LABS)))


@functools.cache
def open_lab(name):
    """Imports a framework's lab, and with it the framework."""
    module, kind = LABS[name].split(":")
    return getattr(importlib.import_module(module), kind)()
