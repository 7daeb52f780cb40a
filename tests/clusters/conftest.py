"""Collected by `nox -s clusters` only, which installs these engines and names one framework."""

import os
import sys
from pathlib import Path

import pytest

import polyattr

DATASETS = Path(__file__).parents[1] / "datasets"
if not os.environ.get("POLYATTR_TEST_CLUSTERS"):
    collect_ignore_glob = ["*"]
else:
    # For the engines' processes, which are started before a test begins.
    found = [str(DATASETS), str(DATASETS.parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, found))
    os.environ["POLYATTR_TEST_DATASETS"] = os.environ["POLYATTR_TEST_BACKENDS"]
    os.environ["RAY_AUTH_MODE"] = "disabled"  # of a cluster of this machine, for a minute
    sys.path.insert(0, str(DATASETS))


@pytest.fixture
def work():
    return polyattr.worker("made_models:made_method", inputs="x", ids="id", targets=0)
