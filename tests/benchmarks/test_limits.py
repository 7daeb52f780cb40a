"""What explanations are compared with are their own gradients, and all rows of them."""

import importlib
import sys
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import polyattr

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def limits():
    """Imports a module of `limits` by its name."""
    sys.path.insert(0, str(BENCHMARKS))
    yield lambda name: importlib.import_module(f"limits.{name}")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(autouse=True)
def _no_words():
    """Of points that are too few, and of TensorFlow's imports: nobody reads these maps."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def as_numpy(framework, x):
    """Channels first, whatever the framework wants."""
    x = np.asarray(x.detach() if framework == "torch" else x)
    return x.transpose(0, 3, 1, 2) if framework == "tensorflow" and x.ndim == 4 else x


def close(one, other, tolerance):
    return np.abs(one - other).max() <= tolerance * np.abs(other).max()


@pytest.mark.parametrize("letter", "ABCDT")
def test_the_bare_gradient_is_that_of_gradient_input(limits, backend_name, letter):
    workloads, frameworks = limits("workloads"), limits("frameworks")
    x, classes = workloads.inputs(letter, 2), workloads.targets(letter, 2)[::-1].copy()
    models, bare = frameworks.models(backend_name), frameworks.bare(backend_name)
    model = models.build(letter)
    explained = polyattr.GradientInput(model).explain(models.native(x), classes)
    for way, gradient in bare.gradients(letter).items():
        found = gradient(bare.rows(way, x), bare.classes(classes))
        bare.wait(found)
        assert close(as_numpy(backend_name, found) * x, as_numpy(backend_name, explained), 1e-5)


@pytest.mark.parametrize("letter", "ABCDT")
def test_a_network_is_the_same_in_every_framework(limits, backend_name, letter):
    frameworks = limits("frameworks")
    others = [name for name in frameworks.FRAMEWORKS if name != backend_name and find_spec(name)]
    if not others:
        pytest.skip("one framework alone is installed")
    x = limits("workloads").inputs(letter, 1)
    scores = []
    for name in (backend_name, *others):
        models = frameworks.models(name)
        scores.append(as_numpy(name, models.build(letter)(models.native(x))))
    assert scores[0].shape == (1, limits("workloads").MODELS[letter].classes)
    assert np.ptp(scores[0]) > 0.1
    for other in scores[1:]:
        assert close(other, scores[0], 1e-5)


@pytest.mark.parametrize(("rows", "tile"), [(1, 1), (50, 32), (400, 4096), (1600, 512), (7, 3)])
def test_all_rows_are_taken_in_calls_of_about_one_size(limits, rows, tile):
    sizes = limits("limit").sizes(rows, tile)
    assert sum(sizes) == rows
    assert max(sizes) <= tile
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == -(-rows // tile)


@pytest.mark.parametrize("tile", [1, 16, 400])
def test_the_limit_takes_every_row(limits, tile):
    taken = []

    class Counting:
        def rows(self, way, x):
            return x

        def classes(self, of_rows):
            return of_rows

        def wait(self, gradient):
            taken.append(len(gradient))

    def gradient(x, classes):
        assert len(x) == len(classes)
        return x

    limit = limits("limit").Limit("any", tile, 400, gradient, Counting(), "A")
    limit.prepare()()
    assert sum(taken) == 400
    assert max(taken) <= tile


def test_numbers_of_rows_that_are_tried(limits):
    tiles = limits("limit").tiles
    assert tiles("A", 1) == [1]
    assert tiles("A", 50) == [1, 8, 16, 32, 50]
    assert tiles("T", 12) == [12]
    assert tiles("C", 200) == [1, 2, 4, 8, 16, 32]
    for letter, model in limits("workloads").MODELS.items():
        assert max(tiles(letter, 10**6)) == max(model.tiles)  # none is too large for memory


def test_one_cell(limits, backend_name):
    interleaved, cell = limits("interleaved"), limits("workloads").Cell
    asked = interleaved.Asked(rounds=2, seconds=0, ramp=0, peers=False)
    facts = interleaved.measure(backend_name, cell("T", 5, "IntegratedGradients"), asked)
    assert facts["rows"] == 5 * 32
    took = facts["milliseconds"]
    assert set(took) == {"limit", "explain", "attribute"}
    assert all(len(times) == 2 and min(times) > 0 for times in took.values())
    pairs = [took["explain"][i] / took["limit"][i] for i in range(2)]
    ratio = facts["ratios"]["explain"]
    assert ratio["least"] == min(pairs)
    assert ratio["median"] == pytest.approx(np.mean(pairs))
    assert (
        f"{facts['limit']['way']} {facts['limit']['tile']}"
        in (facts["limit"]["microseconds_per_row"])
    )
    assert facts["missing"] == {}


def test_a_peer_that_is_not_there_is_said_to_be_missing(limits, backend_name, monkeypatch):
    ways = limits("ways")
    peer = ways.PEERS.get(backend_name)
    if peer is None:
        pytest.skip("it has no peer")
    monkeypatch.setitem(sys.modules, peer, None)
    cell = limits("workloads").Cell("A", 1, "GradientInput")
    calls, missing = ways.peer_ways(backend_name, cell, 0)
    assert calls == {}
    assert set(missing) == {peer, f"{peer} best"}
    assert all("cannot be imported" in reason for reason in missing.values())


def test_what_runs_in_processes_of_its_own(limits, backend_name):
    cell = limits("workloads").Cell("T", 3, "IntegratedGradients", 4)
    first, memory = limits("first_call"), limits("peak_memory")
    assert limits("planned").tile_rows(backend_name, cell) == 12
    for way in first.ways(backend_name):
        assert first.seconds(backend_name, cell, way) > 0
        assert memory.mib(backend_name, cell, way) >= 0
    facts = first.combined({"explain": [2.0, 4.0, 3.0], "graph": [9, 9, 9], "xla": [1.5, 2, 1]})
    assert facts["ratio"] == 2
    timed = limits("growth").timed(backend_name, cell, 0)
    assert (timed["samples"], timed["steps"], timed["rows"]) == (3, 4, 12)
    assert min(timed["explain"], timed["limit"]) > 0


def test_one_to_three_samples_in_turn(limits, backend_name):
    facts = limits("varying").measure(backend_name, "GradientInput", 3)
    counts = facts["polyattr"]
    assert counts["seconds"] > 0
    assert counts["calls"] + counts["traces"] >= 1
    assert (counts["compiled"] is None) == (backend_name != "jax")
    assert (counts["traces"] == 0) == (backend_name == "torch")
    if backend_name == "jax":
        assert facts["bare"]["compiled"] >= 3
