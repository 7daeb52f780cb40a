"""Each file is collected where its framework must be there, or is."""

import importlib.util
import os

_demanded = os.environ.get("POLYATTR_TEST_BACKENDS")


def _here(name):
    if _demanded is None:
        return importlib.util.find_spec(name) is not None
    return name in _demanded.replace(" ", "").split(",")


_FILES = {
    "torch": "test_torch.py",
    "tensorflow": "test_tensorflow.py",
    "jax": "test_jax.py",
    "autograd": "test_autograd_*.py",
}
collect_ignore_glob = [files for name, files in _FILES.items() if not _here(name)]
