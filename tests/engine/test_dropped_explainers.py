"""A service that makes an explainer for every request stays as small as it began."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

EXPLAINERS = 300


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="it reads what Linux tells")
@pytest.mark.parametrize("models", ["one", "fresh"])
def test_explainers_made_and_dropped_give_everything_back(backend_name, models):
    script = Path(__file__).with_name("drops.py")
    ran = subprocess.run(
        [sys.executable, str(script), backend_name, models, str(EXPLAINERS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    found = json.loads(ran.stdout.splitlines()[-1])
    assert found["megabytes"] <= 30
    assert found["regions"] <= 300
    assert found["alive"] == 0
    assert (found["followed"] > EXPLAINERS) == (models == "fresh")
