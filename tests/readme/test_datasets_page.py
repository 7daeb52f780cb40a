"""The page on data sets: its examples run, its tables name what there is."""

import inspect
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import polyattr

PAGE = (Path(__file__).parents[2] / "docs" / "datasets.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
NEEDED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")


@pytest.mark.parametrize("code", BLOCKS, ids=range(len(BLOCKS)))
def test_examples_run(code, backend_name, tmp_path):
    if backend_name != "torch":
        pytest.skip("the examples are in PyTorch")
    if not find_spec("zarr") and "zarr" not in NEEDED:
        pytest.skip("zarr is not installed")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    if "explain_dataset" in code:
        assert re.match(r"2,000 rows in .*maps.zarr \(1 shard, 1 made by this call\)", done.stdout)
        told = re.search(r"```\n(2,000 rows.*?)```", PAGE, re.DOTALL)[1]
        for said, found in zip(told.splitlines()[1:3], done.stdout.splitlines()[1:3], strict=True):
            assert said.partition("largest")[0] == found.partition("largest")[0]


def test_arguments_the_page_names_exist():
    known = set(inspect.signature(polyattr.explain_dataset).parameters)
    known |= set(inspect.signature(polyattr.Explainer.attribute).parameters) | {"steps", "noise"}
    for name in re.findall(r"`(\w+)=", PAGE):
        assert name in known, name
    for name in re.findall(r"`(rows_per_\w+|mean\w*|worst_rows|sketches)", PAGE):
        assert name in known or hasattr(polyattr.Summary, name), name
