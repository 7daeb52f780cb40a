"""Tables in parquet: as those in text, and named where what reads them is missing."""

import importlib
import os
import sys

import numpy as np
import pytest
from users import check_linear, write_module

OPTIONS = ("--id-column", "id", "--target", 0, "--json")
NEEDED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")


@pytest.fixture
def pandas():
    """With pyarrow beside it: `nox -s shap` has to have both."""
    for name in ("pyarrow", "pandas"):
        if name not in NEEDED:
            pytest.importorskip(name, reason="nox -s shap has it")
    importlib.import_module("pyarrow")
    return importlib.import_module("pandas")


def test_a_table(run, folder, backend_name, pandas):
    write_module(folder, backend_name)
    frame = pandas.DataFrame(
        {
            "id": ["Ann", "Bob", "Cy"],
            "age": [1.0, 0.5, 4.0],
            "dose": [2, -1, 0.25],
            "rate": [3, 2, 1],
        }
    )
    frame.to_parquet("table.parquet")
    check_linear(run("explain", "mine:model", "table.parquet", *OPTIONS).json)
    run("explain", "mine:model", "table.parquet").refused(3, "'id' (such as 'Ann')")
    frame.assign(age=[1.0, np.nan, 2.0]).to_parquet("hole.parquet")
    holes = run("explain", "mine:model", "hole.parquet", "--drop", "id")
    holes.refused(3, "the first in sample 1, column 'age'")
    asked = ("explain", "mine:model", "table.parquet", "--max-bytes", 10)
    run(*asked).refused(3, "more than --max-bytes 10")
    content = (folder / "table.parquet").read_bytes()
    (folder / "cut.parquet").write_bytes(content[:-20])
    run("explain", "mine:model", "cut.parquet").refused(3, "is no parquet table")


def test_without_pyarrow_the_extra_is_named(run, folder, backend_name, monkeypatch):
    write_module(folder, backend_name)
    (folder / "table.parquet").write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    done = run("explain", "mine:model", "table.parquet")
    done.refused(1, 'pip install "polyattr[parquet]"')
