"""Results made by hand, and how two of them are compared."""

import importlib
import os

import numpy as np
import pytest

import polyattr
from polyattr.results.fields import PER_SAMPLE

# Of the optional ones those a session has to have, as POLYATTR_TEST_BACKENDS names frameworks.
NEEDED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")


def library(name, whole=False):
    """Imports an optional library, or skips the test, or the `whole` module, where it is missing.

    It is an error to be without one that the session was asked to have.
    """
    if name.partition(".")[0] in NEEDED:
        return importlib.import_module(name)
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(str(error), allow_module_level=whole)


def made(n=5, targets=None, seed=0, **changes):
    """A result of `n` samples of three features, whose every number is another one."""
    rng = np.random.default_rng(seed)
    shape = (n,) if targets is None else (targets, n)
    fields = {
        "values": rng.standard_normal((*shape, 3)).astype(np.float32),
        "scores": rng.standard_normal(shape),
        "baseline_scores": rng.standard_normal(shape),
        "completeness_gap": rng.standard_normal(shape),
        "error": rng.random(shape),
        "converged": rng.random(shape) > 0.5,
        "evaluations": rng.integers(1, 100, shape),
        "targets": rng.integers(0, 3, shape),
        "method": "IntegratedGradients(steps=5)",
        "seed": None,
        "backend": "none",
        "standard_error": rng.random((*shape, 3)).astype(np.float32),
        "bound": rng.random(shape),
        "names": polyattr.Names(
            features=["a", "b", "c"], classes=["x", "y", "z"], rows=[f"row {i}" for i in range(n)]
        ),
        "inputs": rng.standard_normal((n, 3)),
        "methods": ("IntegratedGradients(steps=5)", "IntegratedGradients(steps=9)"),
        "settings": np.arange(np.prod(shape)).reshape(shape) % 2,
    }
    return polyattr.Attribution(**fields | changes)


def same(left, right):
    """Asserts that two results hold the same, wherever their arrays are."""
    left, right = left.to_numpy(), right.to_numpy()
    for name in PER_SAMPLE:
        if name == "settings":  # which are numbered anew where some are left out
            assert settings_of(left) == settings_of(right)
            continue
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name), name)
    for name in ("values", "standard_error", "inputs"):
        same_leaves(getattr(left, name), getattr(right, name), name)
    assert (left.names, left.seed, left.backend) == (right.names, right.seed, right.backend)


def settings_of(result):
    """The settings of each sample, in full."""
    return [result.methods[i] for i in result.settings.ravel()]


def same_leaves(left, right, name):
    assert type(left) is type(right), name
    if isinstance(left, dict):
        assert list(left) == list(right)
        for key, value in left.items():
            same_leaves(value, right[key], f"{name}[{key!r}]")
    elif isinstance(left, tuple | list):
        for one, other in zip(left, right, strict=True):
            same_leaves(one, other, name)
    elif not isinstance(left, np.ndarray):
        assert left == right, name
    else:
        assert left.dtype == right.dtype, name
        np.testing.assert_array_equal(left, right, name)
