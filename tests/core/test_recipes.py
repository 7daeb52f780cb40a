"""What recipes plan: nested nodes, random baselines, several baselines, groups of draws."""

import itertools
import math

import numpy as np
import pytest

from polyattr.sampling import (
    FEWEST_NODES,
    FixedNodes,
    NestedNodes,
    NoisyCopies,
    PathIntegral,
    RandomBaselines,
    StraightPath,
    quadrature,
)
from polyattr.sampling.noisy_copies import group_weights


def driven(recipe, n, change, size=1.0):
    """Runs all rounds; ``change(round)`` (N,) is the change of each map, of norm `size`, after it.

    Returns the tables, the weights each round tried as (coarser, value), and the final weights.
    """
    tables, tried = [], []

    def norm(weights):
        tried.append(np.array(weights))
        return change(len(tables)) if len(tried) % 2 else np.full(n, size)

    rounds = recipe.rounds(n, norm)
    rows = next(rounds)
    while True:
        tables.append(rows)
        try:
            rows = rounds.send(None)
        except StopIteration as end:
            pairs = [(v - d, v) for d, v in zip(tried[::2], tried[1::2], strict=True)]
            return tables, pairs, end.value


def rule_of(tables, weights, sample):
    """Nodes and weights of one sample that `weights` (N, G) of the parts make of its rows."""
    rule = {}
    for rows in tables:
        for row in np.flatnonzero(rows.sample == sample):
            weight = weights[sample, rows.part[row]] * rows.weight[row]
            if weight:
                assert rows.alpha[row] not in rule  # no node is visited twice
                rule[float(rows.alpha[row])] = weight
    return np.array(sorted(rule)), np.array([rule[node] for node in sorted(rule)])


def assert_trapezoid(rule, intervals):
    nodes, weights = quadrature("trapezoid", intervals + 1)
    assert np.allclose(rule[0], nodes, rtol=0, atol=1e-15)
    assert np.allclose(rule[1], weights, rtol=0, atol=1e-15)
    assert abs(math.fsum(rule[1]) - 1) <= 1e-12


# -- nested trapezoids -----------------------------------------------------------------------------


def test_every_level_is_the_trapezoid_rule():
    tables, tried, final = driven(NestedNodes(most=1100), 2, lambda _: np.ones(2))
    assert len(tables) == len(tried) == 8
    for level, (coarser, value) in enumerate(tried, 1):
        for sample in range(2):
            assert_trapezoid(rule_of(tables[:level], coarser, sample), 2 ** (level + 1))
            assert_trapezoid(rule_of(tables[:level], value, sample), 2 ** (level + 2))
    assert (final.value == tried[-1][1]).all()
    assert (final.others[0] == tried[-1][0]).all()
    assert final.scale == (1.0,)


def test_most_nodes_are_never_exceeded_and_never_wasted():
    for most in range(FEWEST_NODES, 1101):
        nodes = NestedNodes(most=most)
        tables, _, _ = driven(nodes, 1, lambda _: np.ones(1))
        visited = sum(map(len, tables))
        assert visited <= most < 2 * (visited - 1) + 1  # another level would not fit
        assert max(int(rows.part.max()) for rows in tables) == nodes.parts - 1


@pytest.mark.parametrize("size", [0.01, 1.0, 1e6])
def test_a_sample_leaves_at_the_first_change_within_the_tolerance(size):
    last = np.array([1, 3, 2, 6])  # the round after which each map stays as it is
    nodes = NestedNodes(most=140, tolerance=0.1)
    tables, _, final = driven(nodes, 4, lambda done: size * np.where(done < last, 0.11, 0.09), size)
    asked = [sorted(set(rows.sample.tolist())) for rows in tables]
    assert asked == [[0, 1, 2, 3], [1, 2, 3], [1, 3], [3], [3]]  # 129 nodes after five rounds
    for sample, level in enumerate(np.minimum(last, 5)):
        assert_trapezoid(rule_of(tables, final.value, sample), 2 ** (level + 2))
        assert_trapezoid(rule_of(tables, final.others[0], sample), 2 ** (level + 1))


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


def test_nested_nodes_from_several_baselines():
    recipe = PathIntegral(nodes=NestedNodes(most=40)).over(2)
    last = np.array([2, 1, 9])
    tables, _, final = driven(recipe, 3, lambda done: np.where(done < last, 1.0, 0.0))
    assert [sorted(set(r.sample.tolist())) for r in tables] == [[0, 1, 2], [0, 2], [2]]
    for number, sample in itertools.product(range(2), range(3)):
        own = [rows.take(np.flatnonzero(rows.reference == number)) for rows in tables]
        nodes, weights = rule_of(own, final.value, sample)
        assert_trapezoid((nodes, 2 * weights), 2 ** (min(last[sample], 3) + 2))


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
