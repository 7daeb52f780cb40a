"""A real network on real photos; optional, since its weights state no licence to redistribute."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("method", ["IntegratedGradients", "SmoothGrad"])
def test_defaults_fit_in_a_gigabyte(method: str) -> None:
    script = Path(__file__).with_name("efficientnet.py")
    run = subprocess.run(
        [sys.executable, str(script), method], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    facts = json.loads(run.stdout.strip().splitlines()[-1])
    print(method, facts)  # noqa: T201 - the figures are the point of this session
    assert facts["photos"] == 20
    assert facts["top1"] >= 18
    assert facts["extra_megabytes"] < 1000
    assert facts["shape"] == [20, 3, 224, 224]
    assert facts["finite"]
    assert facts["score_difference"] < 1e-3
    assert facts.get("gap_difference", 0.0) < 1e-3
