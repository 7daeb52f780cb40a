"""Which points steps="auto" takes, on integrands whose integrals are known."""

import numpy as np
import pytest
from labs.integrands import Integrands, driven

from polyattr.sampling import FEWEST_NODES, AdaptiveNodes, PathIntegral


def steps_at(*places):
    """A feature for each place, whose gradient jumps there from 0 to 1: exact 1 - place."""
    at = np.array(places)
    return lambda alpha: (alpha[:, None] > at).astype(float)


def wave(alpha):
    return np.stack([np.cos(3 * alpha), np.exp(alpha)], axis=1)


WAVE = np.array([np.sin(3) / 3, np.e - 1])


def run(functions, **settings):
    nodes = AdaptiveNodes(**settings)
    integrands = Integrands(functions)
    return driven(nodes, nodes, integrands), integrands


def counts(integrands):
    return [len(own) for own in integrands.parts]


def test_smooth_integrands_take_a_rule_of_high_order():
    for tolerance, points in ((1e-3, 9), (1e-12, 17)):
        weights, integrands = run([wave], tolerance=tolerance)
        assert counts(integrands) == [points]
        assert np.abs(integrands.value(weights.value, 0) - WAVE).max() <= tolerance * 10


def test_kinks_draw_the_points_to_themselves():
    places = (0.321, 0.777)
    weights, integrands = run([steps_at(*places)], tolerance=2e-3)
    assert counts(integrands)[0] < 45
    found = integrands.value(weights.value, 0)
    assert np.abs(found - (1 - np.array(places))).sum() <= 2e-3 * found.sum() * 2
    alpha = np.sort(np.concatenate([rows.alpha for rows in integrands.rows]))
    for place in places:  # the interval with the kink is narrow, the others are as they were
        after = np.searchsorted(alpha, place)
        assert alpha[after] - alpha[after - 1] < 0.01
    assert np.diff(alpha).max() > 0.08


def test_scores_tell_where_a_single_kink_is():
    """With them the error is far below that of the trapezoid on the same points."""
    weights, integrands = run([steps_at(0.4142)], tolerance=0.02)
    alpha = np.concatenate([rows.alpha for rows in integrands.rows])
    at = np.sort(np.where(alpha == 0, AdaptiveNodes().inside, alpha))
    values = 1.0 * (at > 0.4142)
    trapezoid = np.diff(at) @ (values[1:] + values[:-1]) / 2
    found = integrands.value(weights.value, 0)[0]
    assert abs(found - (1 - 0.4142)) <= 0.6 * abs(trapezoid - (1 - 0.4142))


def test_each_sample_on_its_own():
    functions = [wave, steps_at(0.3), steps_at(0.1, 0.2, 0.35, 0.6, 0.9)]
    together, integrands = run(functions, tolerance=3e-3)
    for i, function in enumerate(functions):
        alone, own = run([function], tolerance=3e-3)
        assert counts(own) == [counts(integrands)[i]]
        assert np.array_equal(own.value(alone.value, 0), integrands.value(together.value, i))
    assert len(set(counts(integrands))) == 3


@pytest.mark.parametrize("function", [wave, steps_at(0.3, 0.71)])
def test_most_points_are_never_exceeded(function):
    for most in (FEWEST_NODES, 10, 16, 17, 32, 33, 100):
        weights, integrands = run([function], most=most, tolerance=1e-15)
        assert counts(integrands)[0] <= most
        assert abs(weights.value.sum() - 1) <= 1e-12


@pytest.mark.parametrize("on", ["map", "gap"])
def test_no_point_is_taken_twice_and_weights_sum_to_one(on):
    functions = [wave, steps_at(0.3, 0.71), lambda alpha: alpha[:, None] * 0]
    weights, integrands = run(functions, tolerance=1e-3, on=on)
    for sample in range(3):
        alpha = np.concatenate([r.alpha[r.sample == sample] for r in integrands.rows])
        assert len(np.unique(alpha)) == len(alpha)
        assert abs(weights.value[sample].sum() - 1) <= 1e-12
    assert counts(integrands)[2] == (FEWEST_NODES if on == "map" else 5)


def test_the_gap_is_closed_with_few_points():
    weights, integrands = run([steps_at(0.3, 0.71)], tolerance=0.01, on="gap")
    value = integrands.value(weights.value, 0)
    assert abs(value.sum() - (0.7 + 0.29)) <= 0.01 * 0.99
    assert counts(integrands)[0] <= 12


def test_a_gradient_that_is_not_finite_ends_its_sample():
    def broken(alpha):
        return np.where(alpha[:, None] > 0.6, np.nan, 1.0)

    _, integrands = run([broken, steps_at(0.3)], tolerance=1e-3)
    assert counts(integrands)[0] == FEWEST_NODES


def test_several_baselines_take_the_same_points():
    nodes = AdaptiveNodes(tolerance=5e-3)
    recipe = PathIntegral(nodes=nodes).over(2)
    rounds = recipe.rounds(1, Integrands([steps_at(0.3)]))
    rows = next(rounds)
    assert rows.reference.tolist() == [0] * 9 + [1] * 9
    assert rows.weight.tolist() == [0.5] * 18
    assert (rows.alpha[:9] == rows.alpha[9:]).all()
