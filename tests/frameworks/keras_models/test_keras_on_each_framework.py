"""Keras 3 models on every framework under test; Keras has one backend per process."""

import os
import re
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).parent / "cases"


def test_keras_models(keras_backend):
    settings = {
        "KERAS_BACKEND": keras_backend,
        "POLYATTR_TEST_KERAS": keras_backend,
        "POLYATTR_TEST_BACKENDS": keras_backend,
        "OMP_NUM_THREADS": "1",  # tiny tensors: threads would only wait for each other
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)  # and nothing else
    assert outcome, done.stdout
    assert int(outcome.group(1)) >= 120, done.stdout
