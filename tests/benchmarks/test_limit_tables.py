"""The file of `measure_limits.py` is updated entry by entry, and read into tables and pictures."""

import importlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def module():
    """Imports a module of the benchmarks by its name."""
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module
    sys.path.remove(str(BENCHMARKS))


def cell(explain, **others):
    ratios = {"explain": explain, "attribute": 2 * explain, **others}
    return {
        "milliseconds": {"limit": [1.0, 3.0, 2.0]},
        "ratios": {way: {"median": r, "least": r, "most": r} for way, r in ratios.items()},
        "limit": {"way": "plain", "tile": 4096},
        "missing": {} if "captum" in others else {"captum": "cannot be imported"},
    }


def point(rows, mib):
    return {"rows": rows, "explain": 2e-6 * rows, "limit": 1e-6 * rows, "mib": mib}


FOUND = {
    "run": {
        "cpus": 2, "cpu": None, "machine": "x86_64", "python": "3.11", "date": "2026-01-02",
        "versions": {"polyattr": "1.0", "torch": "2.9"},
    },
    "cells": {
        "jax A N=1000 IntegratedGradients": cell(1.3),
        "torch A N=1000 IntegratedGradients": cell(1.25),
        "torch A N=1 SmoothGrad": cell(1.05, captum=3.0),
        "torch A N=1 GradientInput": cell(2.0, captum=1.5),
    },
    "first": {
        "torch A N=1 GradientInput": {
            "seconds": {"explain": [2, 3, 4], "plain": [1, 1, 1]}, "ratio": 3,
        },
    },
    "memory": {
        f"torch B N=32 IntegratedGradients steps={steps}": {
            "mib": {"explain": mib, "plain": 10}, "tile": 10, "ratio": mib / 10,
        }
        for steps, mib in ((10, 11.0), (5000, 12.0))
    },
    "varying": {
        "jax GradientInput": {
            "most": 40,
            "polyattr": {"seconds": 1.0, "traces": 9, "calls": 2, "compiled": 8},
            "bare": {"seconds": 2.5, "traces": 40, "calls": 0, "compiled": 44},
        },
    },
    "growth": {
        "torch T N=2 IntegratedGradients steps=50": point(100, 1.0),
        "torch T N=20 IntegratedGradients steps=50": point(1000, 2.0),
        "torch T N=20 IntegratedGradients steps=5": point(100, 2.0),
    },
    "to_error": {
        "digits, 9 samples": {
            "rows": [
                {"way": "auto", "gradients": 11.25, "error": 0.00613, "seconds": 0.0251},
                {"way": "captum", "missing": "cannot be imported"},
            ]
        }
    },
}  # fmt: skip

SHOWN = """\
2 CPUs (x86_64), Python 3.11, polyattr 1.0, torch 2.9, 2026-01-02
| model (G / IG / SG) | torch | captum | jax |
| MLP 784-512-512-10, N = 1 | 2.00 / 1.05 | 1.50 / 3.00 | - |
| MLP 784-512-512-10, N = 1,000 | 1.25 | - | 1.30 |
| torch | 1 of 3 | 1.25 | 2.00 (A N=1 G) |
| captum | 0 of 2 | 2.25 | 3.00 (A N=1 SG) |
| MLP 784-512-512-10, N = 1 | 4.00 / 2.10 | - |
| MLP 784-512-512-10, N = 1,000 | 2 (4,096 plain) | 2 (4,096 plain) |
- captum: cannot be imported (A N=1000 IG, A N=1000 IG)
| MLP 784-512-512-10, N = 1 | 3 (1) |
| CNN, 3x32x32, N = 32 | torch | 10.0 | 11.0 (1.10) | 12.0 (1.20) |
| GradientInput | jax | 1.00 | 9 (8) | 2.50 | 40 (44) |
| 2 x 50 | 2 (1), 1.0 |
| 20 x 5 | 2 (1), 2.0 |
| auto | 11.2 | 0.0061 | 0.0251 |
| captum: cannot be imported | - | - | - |
"""


def test_tables(module):
    shown = module("limits.tables").tables(FOUND).splitlines()
    for line in SHOWN.splitlines():
        assert line in shown
    for before, line in itertools.pairwise(shown):
        if line.startswith("| ---"):
            assert line.count("|") == before.count("|")


def test_a_file_is_updated_entry_by_entry(module, tmp_path):
    record, path = module("limits.record").Record, tmp_path / "limits.json"
    first = record(path)
    first.put("cells", "a", {"rows": 1})
    first.put("cells", "b", {"rows": 2})
    second = record(path)
    second.put("cells", "b", {"rows": 3})
    second.put("first", "a", {"ratio": 4})
    kept = json.loads(path.read_text(encoding="utf-8"))
    assert {key: facts["rows"] for key, facts in kept["cells"].items()} == {"a": 1, "b": 3}
    assert kept["first"]["a"]["ratio"] == 4
    assert {"cpu", "cpus", "versions", "date", "python"} <= set(kept["run"])


def test_pictures(module, tmp_path):
    pytest.importorskip("matplotlib")
    figure = module("limits_figure")
    source, paths = tmp_path / "limits.json", [tmp_path / "ratios.png", tmp_path / "growth.png"]
    source.write_text(json.dumps(FOUND), encoding="utf-8")
    figure.main([str(source), *map(str, paths)])
    assert all(path.stat().st_size > 5000 for path in paths)
    with pytest.raises(SystemExit, match="usage: python benchmarks"):
        figure.main([])


def test_measured_in_pieces(backend_name, module, tmp_path, capsys):
    path, asked = tmp_path / "limits.json", ["--frameworks", backend_name, "--models", "T"]
    path.write_text(json.dumps(FOUND), encoding="utf-8")
    less = ["--rounds", "1", "--seconds", "0", "--no-peers", "--samples", "2", "--out", str(path)]
    run = subprocess.run(
        [sys.executable, str(BENCHMARKS / "measure_limits.py"), *asked, *less],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(BENCHMARKS.parent)},
    )
    assert run.returncode == 0, run.stderr
    assert f"cells: {backend_name} T N=2 IntegratedGradients" in run.stderr
    module("measure_limits").main(["--show", str(path)])
    shown = capsys.readouterr().out
    assert shown == run.stdout
    assert "| table, MLP 100-64-2, N = 2 |" in shown
    assert "| MLP 784-512-512-10, N = 1 | 2.00 / 1.05 |" in shown  # what was there stays


def test_a_process_that_fails_says_why(module):
    with pytest.raises(SystemExit, match="expected cells, varying"):
        module("limits.processes").answer({"kind": "any", "framework": "any", "cell": ["A", 1, ""]})


def test_the_fewest_points(backend_name, module):
    if backend_name != "torch":
        pytest.skip("the network of this part is PyTorch's")
    pytest.importorskip("sklearn", reason="its data are scikit-learn's")
    to_error = module("limits.to_error")
    assert to_error.fewest(lambda n: 1 / n, 0.09) == 12
    assert to_error.fewest(lambda n: 1 / n, 0.9) == 2
    assert to_error.fewest(lambda n: 1.0, 0.9) is None
    rows = to_error.measure(samples=6, rounds=1, seconds=0, midpoints=256)
    known = {row["way"]: row for row in rows if "error" in row}
    wanted = known.pop(to_error.CHOSEN)
    assert wanted["error"] < 0.02
    for way, row in known.items():
        assert row["seconds"] > 0
        assert row["error"] <= wanted["error"] or "default" in way or "exact" in way
