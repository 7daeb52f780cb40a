"""A path integral that is far off says so, also to whoever asks for the map alone."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr
from polyattr import ConvergenceWarning
from polyattr.sampling import RULES

pytestmark = pytest.mark.filterwarnings("error::polyattr.ConvergenceWarning")

X = np.array([[4.0, 1.0], [1.0, 2.25], [9.0, 0.25]])


def integrated(lab, body, **settings):
    return polyattr.IntegratedGradients(lab.function(body), backend=lab.name, **settings)


def roots(ops, x):
    return ops.sum(ops.sqrt(x))


def normalised(ops, x):
    """As a layer normalisation: all of it happens near the origin."""
    size = ops.sqrt(ops.sum(x * x) * 0.5 + 1e-5)
    return ops.sum(x * ops.like(np.array([1.0, 3.0]), x)) / size


def directions(ops, x):
    """A unit vector, as of a normalised embedding: it jumps at the origin, and is constant else."""
    size = ops.sqrt(ops.sum(x * x) + 1e-12)
    return ops.sum(x * ops.like(np.array([1.0, 3.0]), x)) / size


def signs(ops, x):
    """Jumps at the origin, and is linear anywhere else."""
    return ops.sum(x / ops.sqrt(x * x + 1e-12) + x * ops.like(np.array([1.0, 3.0]), x))


def bump(ops, x):
    """Ends where it began: the gap is nothing beside the map, and all of the rise."""
    at = ops.sum(x)
    return at * (3.0 - at) * 4.0 + at * 0.01


@pytest.mark.parametrize("rule", ["trapezoid", "left", "simpson"])
@pytest.mark.parametrize("body", [roots, normalised])
def test_a_gradient_that_explodes_at_the_baseline(lab, body, rule):
    method = integrated(lab, body, rule=rule)
    with pytest.warns(ConvergenceWarning, match=r"^3 of 3 samples .* above 0\.05 .*raise steps"):
        found = lab.numpy(method.explain(lab.tensor(X)))
    with pytest.warns(ConvergenceWarning, match="^3 of 3 samples"):
        result = method.attribute(lab.tensor(X))
    assert not result.converged.any()
    assert (found == lab.numpy(result.values)).all()


@pytest.mark.parametrize("rule", ["trapezoid", "midpoint", "gauss-legendre"])
def test_a_score_that_jumps_at_the_baseline(lab, rule):
    # Along the path it is constant: only the score at the baseline itself tells, f(b) = 0.
    method = integrated(lab, directions, rule=rule)
    for call in range(2):
        x = X[call:]
        with pytest.warns(ConvergenceWarning, match=rf"^{len(x)} of {len(x)} samples") as told:
            found = lab.numpy(method.explain(lab.tensor(x)))
        assert len(told) == 1
        assert np.abs(found.sum(axis=1)).max() < 0.1 < 1 < directions_at(x).min()
    method.explain(lab.tensor(X), baselines=lab.tensor(X * 0.1))  # no jump there, no warning
    integrated(lab, directions, rule=rule).explain(lab.tensor(X), baselines=lab.tensor(X * 0.1))


def test_a_jump_that_the_first_sample_does_not_show(lab):
    x = np.concatenate([[[3.0, -1.0]], X])  # whose score is zero on all of its path
    method = integrated(lab, signs, rule="midpoint")
    with pytest.warns(ConvergenceWarning, match="^3 of 4 samples"):
        method.explain(lab.tensor(x))
    starts = lab.tensor(np.zeros((1, 2)) * x[:1])
    with pytest.warns(ConvergenceWarning, match="^3 of 4 samples"):
        integrated(lab, signs, rule="midpoint").explain(lab.tensor(x), baselines=starts)


def directions_at(x):
    return (x * [1.0, 3.0]).sum(axis=1) / np.sqrt((x**2).sum(axis=1))


def test_a_score_that_is_not_finite_at_the_baseline(lab):
    method = integrated(lab, lambda ops, x: ops.sum(x) / ops.sqrt(ops.sum(x * x)))  # 0 / 0 there
    with pytest.warns(ConvergenceWarning, match=r"3 of 3 samples .*worst: inf"):
        method.explain(lab.tensor(X))


def test_the_start_is_a_hundredth_of_the_first_interval_inside(lab):
    # The gradient of sqrt at alpha = 0.01 h is 10 times that at h: 1.8 sqrt(h) too much in all.
    # At 2^-20 inside, the map was six times the score.
    method = integrated(lab, roots, tolerance=1.0)
    nodes = np.linspace(0, 1, 50)
    nodes[0], weights = nodes[1] / 100, np.r_[0.5, np.ones(48), 0.5] / 49
    with lab.double():
        found = lab.numpy(method.explain(lab.tensor(X, "float64")))
    assert_close(found, np.sqrt(X) * (weights * 0.5 / np.sqrt(nodes)).sum(), 1e-12)
    assert abs(found.sum() / np.sqrt(X).sum() - 1) < 0.3


def test_more_points_are_said_to_help_and_do(lab):
    coarse, fine = (integrated(lab, normalised, steps=steps) for steps in (50, 4000))
    with pytest.warns(ConvergenceWarning):
        coarse.explain(lab.tensor(X))
    found = lab.numpy(fine.explain(lab.tensor(X)))  # no warning, which would be an error here
    scores = (X * [1.0, 3.0]).sum(axis=1) / np.sqrt((X**2).mean(axis=1))
    assert np.abs(found.sum(axis=1) - scores).max() < 0.05 * scores.max()


def test_each_of_several_baselines_counts(lab):
    starts = np.stack([X * 0, X * 0.5], axis=1)
    with pytest.warns(ConvergenceWarning, match="3 of 3"):
        integrated(lab, roots).explain(lab.tensor(X), baselines=starts)
    integrated(lab, roots).explain(lab.tensor(X), baselines=starts[:, 1:] * np.ones((1, 2, 1)))


def test_one_warning_for_a_whole_dataset(lab):
    easy = lab.tensor(np.array([[5.0, 5.0]]))
    batches = [easy, lab.tensor(X), lab.tensor(X[:1]), easy]
    method = integrated(lab, roots, baseline_value=lambda x: x * 0.9 if x.shape[0] == 1 else x * 0)
    for call in (
        lambda: method.explain(iter(batches)),
        lambda: list(method.explain_batches(iter(batches))),
    ):
        with pytest.warns(ConvergenceWarning, match=r"3 of 6 .*sample [123]\)") as said:
            call()
        assert len(said) == 1


def test_refinement_that_is_not_done_at_the_last_round(lab):
    method = integrated(lab, roots, steps="auto", max_steps=9)
    with pytest.warns(ConvergenceWarning, match="raise max_steps"):
        method.explain(lab.tensor(X))


def test_a_rule_without_ends_continues_to_them(lab):
    method = integrated(lab, lambda ops, x: ops.exp(ops.sum(x)), rule="midpoint", steps=3)
    with pytest.warns(ConvergenceWarning, match="of 3 samples"):
        method.explain(lab.tensor(X))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("rule", RULES)
def test_an_ordinary_network_gives_no_alarm(lab, rule, activation):
    rng = np.random.default_rng(1201)
    for seed in range(4):
        model = lab.mlp(random_network(seed, 6, 32, 32, 3, activation=activation))
        x = single(rng.standard_normal((20, 6)))
        # Those that take one end for the whole of an interval are 5 % off at 50 points.
        steps = 100 if rule in {"left", "right"} else 50
        method = polyattr.IntegratedGradients(model, backend=lab.name, rule=rule, steps=steps)
        method.explain(lab.tensor(x), rng.integers(0, 3, 20))  # a warning would be an error


# Two points of one rule are compared with nothing: that they were enough cannot be known.
@pytest.mark.parametrize(("rule", "steps"), [("gauss-legendre", 4), ("clenshaw-curtis", 5)])
def test_a_rule_that_is_exact_with_few_points_gives_no_alarm(lab, rule, steps):
    method = integrated(lab, lambda ops, x: ops.sum(x * x * x - x * x), rule=rule, steps=steps)
    method.explain(lab.tensor(X))


def test_a_score_that_comes_back_gives_no_alarm(lab):
    x = lab.tensor(np.array([[1.0, 2.0], [1.5, 1.5]]))
    method = integrated(lab, bump, rule="midpoint", steps=20)
    result = method.attribute(x)
    assert (np.abs(result.completeness_gap) < 1e-3).all()
    method.explain(x)


def test_a_gradient_that_is_not_finite_is_named_and_no_more(lab):
    method = integrated(lab, lambda ops, x: ops.sum(ops.sqrt(x - 1.0)))
    with pytest.raises(polyattr.NonFiniteGradientError):
        method.explain(lab.tensor(X), baselines=2.0)
