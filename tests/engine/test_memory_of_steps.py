"""Memory must not grow with steps: 2,000 of 32 samples take little more than 50."""

import subprocess
import sys
from pathlib import Path

import pytest

# All gradients at once would take 730 MiB more; what a framework compiles meanwhile takes 110.
MOST = 200


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the peak has another unit, or none")
def test_forty_times_the_steps_take_no_more_memory(backend_name):
    script = Path(__file__).with_name("steps.py")
    ran = subprocess.run(
        [sys.executable, str(script), backend_name], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert float(ran.stdout.splitlines()[-1]) <= MOST
