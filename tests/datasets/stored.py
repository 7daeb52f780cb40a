"""What a store holds, byte by byte, and how a run is called in tests."""

import importlib
import os

import numpy as np
import pytest
from labs import LABS, under_test

import polyattr

NEEDED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")
COLUMNS = ("attribution", "score", "baseline_score", "gap", "error", "converged", "target", "id")


def library(name):
    """Imports an optional library, or skips the module where this session was not to have it."""
    if name in NEEDED:
        return importlib.import_module(name)
    return pytest.importorskip(name)


# TensorFlow's kernels are timed with and without XLA, whose programs round otherwise.
EXACT = "tensorflow" not in under_test(*LABS)
KINDS = {"attribution": np.float32, "converged": bool, "target": np.int64, "id": np.int64}


class Held(dict):
    """Bytes by name, which are equal bit by bit, or on TensorFlow to rounding."""

    def __eq__(self, other):
        if EXACT:
            return dict.__eq__(self, other)
        return self.keys() == other.keys() and all(close(n, self[n], other[n]) for n in self)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


def close(name, left, right):
    """Whether two columns, or chunks of them, are the same to rounding; other files as they are."""
    column = name.split("/")[0]
    if column not in COLUMNS or name.endswith(".json"):
        return left == right or name.endswith(".parquet")
    pair = [np.frombuffer(held, KINDS.get(column, np.float64)) for held in (left, right)]
    return np.allclose(*pair, rtol=1e-4, atol=1e-6, equal_nan=True)


def contents(done):
    """The bytes of every column."""
    return Held({name: done.column(name).tobytes() for name in COLUMNS})


def files(folder):
    """The bytes of every file of the data."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return Held({str(path.relative_to(folder)): path.read_bytes() for path in paths})


def explained(method, source, out, **options):
    """A run of 16 rows a call and 32 a shard."""
    given = {"rows_per_call": 16, "rows_per_shard": 32, **options}
    return polyattr.explain_dataset(method, source, out, **given)


def expected(method, x, rows=16, **call):
    """What `attribute` says of the same rows, call by call."""
    parts = [method.attribute(x[i : i + rows], **call).to_numpy() for i in range(0, len(x), rows)]
    return np.concatenate([part.values for part in parts])
