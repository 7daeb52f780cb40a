"""examples/weather_grid.py: a map on the grid, where the wind says that the rain comes from."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from labs import asked_for

ROOT = Path(__file__).parents[2]
NEEDED = ("matplotlib", "torch", "xarray")
# A session has xarray for other reasons: it must have the example's framework as well.
ASKED = os.environ.get("POLYATTR_TEST_LIBRARIES", "").split(",")
MUST = "xarray" in ASKED and "torch" in (asked_for() or ())
pytestmark = pytest.mark.skipif(
    not MUST and not all(map(find_spec, NEEDED)),
    reason=f"needs {', '.join(NEEDED)}: nox -s services installs them",
)


@pytest.fixture(scope="module")
def example():
    sys.path.insert(0, str(ROOT))
    from examples import weather_grid

    yield weather_grid
    sys.path.remove(str(ROOT))


@pytest.mark.parametrize("lead", [6, 12, 18, 24])
def test_the_rain_comes_from_upwind(example, lead):
    """Fields drift three cells of 2.5 degrees in six hours: the map lies that far to the west."""
    start = example.analysis()
    found = example.explained(start, "rain", lead)
    map_ = found.attribution
    assert map_.dims == start.dims
    for dim in start.dims:
        assert (map_[dim] == start[dim]).all()
    drift = 7.5 * lead / 6
    there = map_.where((map_.lon >= 0 - drift) & (map_.lon <= 20 - drift), drop=True)
    there = there.where((there.lat >= 40) & (there.lat <= 55), drop=True)
    size = float(abs(map_).sum())
    assert float(abs(there).sum()) > 0.999 * size > 0
    # The shares add up to the difference in rain from that of a world without longitudes.
    gain = float(found.scores[0] - found.baseline_scores[0])
    assert float(map_.sum()) == pytest.approx(gain, rel=1e-3)
    assert float(found.error[0]) <= 0.01


def test_the_target_is_the_mean_over_an_area(example):
    start = example.analysis()
    weights = example.target(start, "temperature", 12, example.REGION).numpy()
    assert weights.shape == (1, 4, 2, 20, 72)
    assert weights.sum() == pytest.approx(1)
    used = np.argwhere(weights[0] > 0)
    assert set(used[:, 0]) == {1}
    assert set(used[:, 1]) == {1}
    assert set(start.lat.values[used[:, 2]]) == set(np.arange(40.0, 55.1, 2.5))
    assert set(start.lon.values[used[:, 3]]) == set(np.arange(0.0, 20.1, 2.5))
    ratio = weights[0, 1, 1].max(1)
    north, south = (int(np.flatnonzero(start.lat.values == lat)[0]) for lat in (55.0, 40.0))
    assert ratio[north] / ratio[south] == pytest.approx(
        np.cos(np.deg2rad(55)) / np.cos(np.deg2rad(40)), rel=1e-5
    )


def test_the_picture_is_drawn(example, tmp_path):
    import matplotlib

    matplotlib.use("Agg")
    start = example.analysis()
    found = {lead: example.explained(start, "rain", lead) for lead in (6, 24)}
    example.draw(found, str(tmp_path / "map.png"))
    picture = matplotlib.image.imread(tmp_path / "map.png")
    red, blue = picture[..., 0], picture[..., 2]
    half = len(picture) // 2
    # The humid air lies to the west of the region after 24 hours, and nowhere near it after six.
    width = picture.shape[1]
    strong = (red > 0.6) & (blue < 0.4)
    assert strong[half:, : width // 2].sum() > 500
    assert strong[:half, : int(0.8 * width)].sum() == 0
