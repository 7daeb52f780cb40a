"""Files of Keras on every framework under test; Keras has one backend per process."""

import os
import re
import subprocess
import sys
from pathlib import Path

CASES = Path(__file__).parent / "keras_cases"


def test_keras_files(backend_name):
    settings = {
        "KERAS_BACKEND": backend_name,
        "POLYATTR_TEST_KERAS": backend_name,
        "POLYATTR_TEST_BACKENDS": backend_name,
    }
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(CASES)],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcome = re.search(r"^(\d+) passed in", done.stdout, re.MULTILINE)  # and nothing else
    assert outcome, done.stdout
    assert int(outcome.group(1)) >= 8, done.stdout
