"""The plan of a call: every row once, in tiles of equal shape, little of it padding."""

import itertools

import numpy as np
import pytest

from polyattr.engine.cut import auto_batch_size, balanced, plan_tiles
from polyattr.sampling.points import NoisyCopies, StraightPath, independent_groups
from polyattr.sampling.statistics import Mean, Variance

SIZES = list(itertools.product([1, 2, 3, 5, 9, 17], [1, 2, 7, 50], [1, 2, 3, 4, 8, 64, None]))


@pytest.mark.parametrize(
    ("total", "most", "parts"),
    [(50, 7, (8, 7)), (50, 64, (1, 50)), (50, 49, (2, 25)), (5, 2, (3, 2)), (1, 1, (1, 1))],
)
def test_balanced_parts(total, most, parts):
    assert balanced(total, most) == parts


@pytest.mark.parametrize(("n", "points", "batch_size"), SIZES)
def test_every_row_is_computed_once(n, points, batch_size):
    plan = plan_tiles(n, StraightPath(points, rule="midpoint"), Mean(), batch_size)
    columns = plan.columns
    assert columns["sample"].shape == plan.point.shape
    assert plan.point.shape[1] <= (batch_size or n * points)
    valid = columns["valid"] > 0
    pairs = list(zip(columns["sample"][valid], plan.point[valid], strict=True))
    assert len(pairs) == len(set(pairs)) == plan.samples * points
    assert plan.blocks * plan.samples >= n
    assert (plan.blocks - 1) * plan.samples < n
    weights = np.bincount(columns["segment"].ravel(), columns["weight"].ravel())
    assert np.allclose(weights, 1, atol=1e-12)


@pytest.mark.parametrize(("n", "points", "batch_size"), SIZES)
def test_padding_is_at_most_a_row_per_tile(n, points, batch_size):
    plan = plan_tiles(n, StraightPath(points, rule="midpoint"), Mean(), batch_size)
    tiles = plan.blocks * plan.tiles
    assert tiles * plan.point.shape[1] - n * points <= tiles


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize("batch_size", [1, 4, 7, 40, None])
def test_every_row_finds_its_draw(batch_size, antithetic):
    points = NoisyCopies(count=11, noise=0.5, antithetic=antithetic)
    plan = plan_tiles(3, points, Mean(), batch_size)
    rows = np.take_along_axis(plan.draws, plan.columns["slot"], axis=1)
    assert (rows == points.draw[plan.point]).all()
    assert plan.draws.max() == points.draw.max()  # nothing is drawn that nobody needs
    scale = plan.columns["scale"]
    expected = np.where(plan.point % 2, -0.5, 0.5) if antithetic else np.full_like(scale, 0.5)
    assert (scale == expected).all()


@pytest.mark.parametrize("antithetic", [True, False])
@pytest.mark.parametrize(("count", "least"), [(1, 1), (5, 1), (16, 1), (50, 1), (50, 2), (3, 2)])
def test_groups_are_whole_draws_of_similar_size(count, least, antithetic):
    draws = -(-count // 2) if antithetic else count
    groups = independent_groups(draws, least)
    points = NoisyCopies(count=count, groups=groups, antithetic=antithetic)
    assert (np.diff(points.group) >= 0).all()
    sizes = np.bincount([points.group[points.draw == d][0] for d in range(draws)])
    assert len(sizes) == groups == min(8, max(1, draws // least))
    assert sizes.min() >= least
    assert sizes.max() - sizes.min() <= 1
    for d in range(draws):
        assert len(set(points.group[points.draw == d])) == 1


def test_the_factors_of_a_merged_variance():
    # Merging tile by tile must give the sum of squared deviations of all rows of a sample.
    rng = np.random.default_rng(0)
    points = NoisyCopies(count=10, groups=2)
    plan = plan_tiles(3, points, Variance(), 4)
    values = rng.standard_normal((plan.samples, 10))
    mean, squares = np.zeros((2, plan.samples * 2))
    for t in range(plan.tiles):
        column = {name: value[t] for name, value in plan.columns.items()}
        rows = values[column["sample"], plan.point[t]]
        kept = column["valid"] > 0
        for segment in np.unique(column["segment"][kept]):
            mine = rows[kept & (column["segment"] == segment)]
            delta = mine.mean() - mean[segment]
            squares[segment] += ((mine - mine.mean()) ** 2).sum()
            squares[segment] += delta**2 * column["cross"][segment]
            mean[segment] += delta * column["gain"][segment]
    for group, sample in itertools.product(range(2), range(plan.samples)):
        mine = values[sample, points.group == group]
        assert mean[group * plan.samples + sample] == pytest.approx(mine.mean(), abs=1e-12)
        expected = ((mine - mine.mean()) ** 2).sum()
        assert squares[group * plan.samples + sample] == pytest.approx(expected, abs=1e-12)


def test_automatic_batch_size_follows_the_row():
    sizes = [auto_batch_size(n, False) for n in (1, 10, 784, 3 * 224 * 224, 10**9)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 256
    assert sizes[2] == 63
    assert sizes[3] == sizes[4] == 4
    assert auto_batch_size(784, True) > auto_batch_size(784, False)
