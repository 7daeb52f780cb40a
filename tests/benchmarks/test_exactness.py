"""The measurement of exactness measures, on a network that is small and quickly trained."""

import importlib
import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import polyattr

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def script(backend_name):
    """The script, where PyTorch, in which its networks are, and scikit-learn are there."""
    if backend_name != "torch":
        pytest.skip("the networks of this benchmark are PyTorch's")
    pytest.importorskip("sklearn", reason="the benchmark's data are scikit-learn's")
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("exactness")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def found(script):
    networks, errors = (sys.modules[name] for name in ("trained_networks", "map_errors"))
    small = networks.Recipe("small", networks.diabetes, lambda data: networks.mlp(data, 1, 8), 2)
    kept = [way for way in errors.WAYS if way.name in {"trapezoid", "gauss-legendre"}]

    def chosen(model, tolerance):
        return polyattr.IntegratedGradients(model, steps="auto", tolerance=tolerance)

    ways = [*kept, errors.Way("doubled", chosen, (0.05,), fixed=False)]
    return script.measured([(networks.trained(small, 5), 2048)], ways)


def test_errors_fall_with_the_points(script, found):
    cells = script.read(found)
    assert len(cells) == 2 * 4 + 1
    for rule in ("trapezoid", "gauss-legendre"):
        of_rule = {cell.budget: cell for cell in cells if cell.way == rule}
        assert of_rule[65].median < 0.3 * of_rule[9].median
        assert all(cell.evaluations == [n] * 5 for n, cell in of_rule.items())
    assert found["networks"][0]["truth_unsure"] < 1e-3


def test_the_file_holds_everything_and_the_table_reads_it(script, found, tmp_path, capsys):
    path = tmp_path / "exactness.json"
    path.write_text(json.dumps(found, allow_nan=False), encoding="utf-8")
    script.main(["--show", str(path)])
    shown = capsys.readouterr().out
    assert shown.startswith("Median relative L1 error of the map, truth of many midpoints; ")
    assert "small, diabetes (5 samples, quality" in shown
    assert "truth of 2048 midpoints" in shown
    assert "| n | best | trapezoid | gauss-legendre |" in shown
    assert "| doubled | 0.05 |" in shown
    assert "trapezoid: mean stated / mean true error" in shown
    assert {"python", "versions", "cpus", "machine", "date"} <= set(found["run"])
    assert json.loads(path.read_text(encoding="utf-8")) == found


def test_what_the_best_fixed_rule_needs_is_read_between_points(script, found):
    cell = script.read(found)[0]
    cells = [
        replace(cell, budget=n, error=[error])
        for n, error in ((10, 0.04), (20, 0.01), (10, 0.08), (20, 0.02))
    ]
    assert script.needed(cells, 0.02) == pytest.approx(10 * math.sqrt(2))
    assert math.isnan(script.needed(cells, 0.05))
    assert math.isnan(script.needed(cells, 0.001))


def test_a_network_that_is_not_there(script):
    with pytest.raises(SystemExit, match="no network is named like 'resnet'; networks: MLP 2 x"):
        script.main(["--networks", "resnet"])


def test_gradients_to_the_same_error_are_counted(script, monkeypatch):
    counts = importlib.import_module("to_error")
    networks = sys.modules["trained_networks"]
    small = networks.Recipe("small", networks.digits, lambda data: networks.mlp(data, 1, 8), 2)
    for name, value in (("MIDPOINTS", 512), ("PAIRS", 512), ("DRAWS", 8), ("TOLERANCES", (0.02,))):
        monkeypatch.setattr(counts, name, value)
    case = networks.trained(small, 5)
    (integral,), (noise,) = counts.integrals(case), counts.noise(case)
    assert 0 < integral["error"] < 0.02
    assert integral["needed"]["left"] > integral["needed"]["trapezoid"] > 2
    # Independent draws need four times as many for half the error, pairs of them none at all where
    # a map is linear in the noise.
    assert noise["needed"]["independent draws"] > noise["own"]
    table = counts.table([integral, {**noise, "needed": {"independent draws": None}}])
    assert "independent draws > 1024" in table
    assert f"| {integral['own']:.0f} |" in table
