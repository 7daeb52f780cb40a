"""What a store holds, byte by byte, and how a run is called in tests."""

import importlib
import os

import numpy as np
import pytest

import polyattr

NEEDED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")
COLUMNS = ("attribution", "score", "baseline_score", "gap", "error", "converged", "target", "id")


def library(name):
    """Imports an optional library, or skips the module where this session was not to have it."""
    if name in NEEDED:
        return importlib.import_module(name)
    return pytest.importorskip(name)


def contents(done):
    """The bytes of every column."""
    return {name: done.column(name).tobytes() for name in COLUMNS}


def files(folder):
    """The bytes of every file of the data."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def explained(method, source, out, **options):
    """A run of 16 rows a call and 32 a shard."""
    given = {"rows_per_call": 16, "rows_per_shard": 32, **options}
    return polyattr.explain_dataset(method, source, out, **given)


def expected(method, x, rows=16, **call):
    """What `attribute` says of the same rows, call by call."""
    parts = [method.attribute(x[i : i + rows], **call).to_numpy() for i in range(0, len(x), rows)]
    return np.concatenate([part.values for part in parts])
