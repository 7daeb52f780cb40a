"""What recipes plan: random baselines, several baselines, groups of draws."""

import itertools

import numpy as np
import pytest

from polyattr.sampling import (
    FixedNodes,
    NoisyCopies,
    RandomBaselines,
    StraightPath,
    quadrature,
)
from polyattr.sampling.noisy_copies import group_weights

# -- several baselines -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["trapezoid", "simpson", "midpoint"])
def test_every_baseline_has_all_nodes_and_an_equal_share(rule):
    recipe = StraightPath(nodes=FixedNodes(5, rule)).over(3)
    nodes, weights = quadrature(rule, 5)[0], FixedNodes(5, rule).table(1).weight
    rows = recipe.table(2)
    assert len(rows) == 2 * 3 * 5
    for sample, number in itertools.product(range(2), range(3)):
        own = rows.take(np.flatnonzero((rows.sample == sample) & (rows.reference == number)))
        assert (own.alpha == nodes).all()
        assert np.allclose(own.weight, weights / 3, rtol=0, atol=1e-15)
    assert np.allclose(np.bincount(rows.sample, rows.weight), 1, atol=1e-12)
    assert recipe.over(1).table(2).reference is None


# -- random baselines ------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "background"), [(1, 4), (7, 7), (50, 7), (50, 300), (64, 1)])
def test_alphas_are_stratified_and_rows_come_equally_often(count, background):
    rows = RandomBaselines(count=count, seed=3).over(background).table(1)
    assert sorted(np.floor(rows.alpha * count).astype(int)) == list(range(count))
    often = np.bincount(rows.reference, minlength=background)
    assert len(often) == background
    assert often.max() - often.min() <= 1
    assert rows.weight.sum() == pytest.approx(1, abs=1e-12)


def test_every_sample_has_the_same_draws_whatever_the_others():
    recipe = RandomBaselines(count=20, seed=1, references=6)
    alone, among = recipe.table(1), recipe.table(5)
    for sample in range(5):
        own = among.take(np.flatnonzero(among.sample == sample))
        for name in ("part", "weight", "alpha", "reference"):
            assert (getattr(own, name) == getattr(alone, name)).all()


def test_draws_follow_the_seed_in_random_order():
    tables = [RandomBaselines(count=20, seed=s, references=20).table(1) for s in (0, 0, 1, 2**63)]
    assert (tables[0].alpha == tables[1].alpha).all()
    assert (tables[0].reference == tables[1].reference).all()
    for one, other in itertools.combinations([*tables[1:]], 2):
        assert (one.alpha != other.alpha).any()
        assert (one.reference != other.reference).any()
    # In ascending order each group would see a piece of the path, and their spread be the path's.
    for seed in range(5):
        rows = RandomBaselines(count=80, seed=seed).over(40).table(1)
        for group in range(8):
            own = rows.alpha[rows.part == group]
            assert np.ptp(own) > 0.4
        assert abs(np.corrcoef(rows.alpha, rows.reference)[0, 1]) < 0.4


@pytest.mark.parametrize("count", [1, 2, 5, 8, 50, 81])
def test_groups_of_random_baselines(count):
    recipe = RandomBaselines(count=count, references=3)
    sizes = np.bincount(recipe.table(1).part, minlength=recipe.parts)
    assert len(sizes) == recipe.parts == min(8, count)
    assert sizes.min() >= 1
    assert sizes.max() - sizes.min() <= 1
    assert len(recipe.weights().others) == (0 if count == 1 else recipe.parts)


# -- groups ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [[4, 4, 4], [1, 1], [3, 2, 2, 3, 2, 2, 3, 3], [5, 1]])
def test_group_weights_are_batch_means(sizes):
    rng = np.random.default_rng(len(sizes))
    values = [rng.standard_normal(size) for size in sizes]
    rows = sum(sizes)
    parts = np.array([group.sum() / rows for group in values])  # what the engine has summed
    weights = group_weights(np.array(sizes) / rows)
    mean = np.concatenate(values).mean()
    assert weights.value @ parts == pytest.approx(mean, abs=1e-12)
    means = [other @ parts for other in weights.others]
    assert means == pytest.approx([group.mean() for group in values], abs=1e-12)
    squared = sum(s * (m - mean) ** 2 for s, m in zip(weights.scale, means, strict=True))
    # By hand: the weighted spread of the group means, over one less than their number.
    spread = sum(len(g) / rows * (g.mean() - mean) ** 2 for g in values) / (len(sizes) - 1)
    assert squared == pytest.approx(spread, abs=1e-12)
    if len(set(sizes)) == 1:
        textbook = np.var([g.mean() for g in values], ddof=1) / len(sizes)
        assert squared == pytest.approx(textbook, abs=1e-12)


def test_one_group_tells_no_error():
    weights = group_weights(np.ones(1))
    assert weights.value.tolist() == [1]
    assert weights.others == weights.scale == ()


def test_the_error_of_noisy_copies_is_that_of_their_groups():
    recipe = NoisyCopies(count=11, antithetic=True)
    weights = recipe.weights()
    share = np.bincount(recipe.group) / 11
    assert np.allclose(weights.scale, share / (recipe.parts - 1), rtol=0, atol=1e-15)
    # Each group's own estimate is the mean of its copies.
    inside = np.bincount(recipe.group, recipe.table(1).weight)
    for number, other in enumerate(weights.others):
        assert other @ inside == pytest.approx(1, abs=1e-12)
        assert np.flatnonzero(other).tolist() == [number]
