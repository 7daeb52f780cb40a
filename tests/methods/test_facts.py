"""What `attribute` reports besides the values, against its definition."""

import numpy as np
import pytest
from labs import NOISY, named
from labs.closeness import assert_close
from labs.error_bars import SHARE, bars
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling import quadrature
from polyattr.sampling.noise import portable_noise

ONE = np.array([[1.0]])


def cube(ops, x):
    return ops.sum(x * x * x)


@pytest.mark.parametrize(
    ("rule", "gap"),
    [
        # Of f(x) = x^3 from 0 to 1 with 10 points: sums of 3 t^2 over the nodes, minus 1.
        ("left", 3 * 285 / 1000 - 1),
        ("right", 3 * 385 / 1000 - 1),
        ("midpoint", -1 / 400),
        ("trapezoid", 1 / 162),
    ],
)
def test_the_gap_is_signed_and_the_error_that_of_the_map(lab, rule, gap):
    method = polyattr.IntegratedGradients(
        lab.function(lambda ops, x: cube(ops, x) + 5.0), backend=lab.name, rule=rule, steps=10
    )
    result = method.attribute(lab.tensor(np.array([[1.0], [-2.0]])))
    # At -2 both the values and f(x) - f(b) are -8 times those at 1.
    assert_close(result.completeness_gap, [gap, -8 * gap], 1e-4)
    nodes = quadrature(rule, 10)[0].copy()
    nodes[0] = nodes[0] or nodes[1] / 100
    flow, value = 3 * nodes[:, None] ** 2, lab.numpy(result.values)[0]
    standard, bound = bars(rule, nodes, flow, value)
    stated = max(SHARE * standard[0], abs(gap) - 6e-3) / value[0]  # rounding of scores of 6
    assert_close(lab.numpy(result.standard_error), [standard, 8 * standard], 1e-3)
    assert_close(result.error, [stated, stated], 0.05)
    assert_close(result.bound, [bound / value[0]] * 2, 1e-3)
    assert_close(result.scores, [6.0, -3.0], 1e-6)
    assert_close(result.baseline_scores, [5.0, 5.0], 1e-6)
    assert result.converged.tolist() == [stated <= 0.05] * 2
    assert result.evaluations.tolist() == [10, 10]
    assert (result.targets, result.seed, result.backend) == (None, None, lab.name)


@pytest.mark.parametrize("rule", ["midpoint", "gauss-legendre", "left", "right"])
def test_ends_the_rule_does_not_visit_are_evaluated(lab, rule):
    network = random_network(31, 3, 6, 4, activation="tanh")
    rng = np.random.default_rng(32)
    x, baselines = single(rng.standard_normal((2, 5, 3)))
    method = polyattr.IntegratedGradients(
        lab.mlp(network), backend=lab.name, rule=rule, steps=3, batch_size=4
    )
    targets = np.array([3, 1, 0, 2, 2])
    result = method.attribute(lab.tensor(x), targets, baselines=baselines)
    rows = np.arange(5)
    assert_close(result.scores, network.outputs(x)[rows, targets], 5e-6)
    assert_close(result.baseline_scores, network.outputs(baselines)[rows, targets], 5e-6)
    sums = lab.numpy(result.values).astype(np.float64).sum(axis=1)
    gap = sums - (result.scores - result.baseline_scores)
    assert np.abs(result.completeness_gap - gap).max() <= 1e-6
    assert result.targets.tolist() == targets.tolist()


def test_exact_gradients_have_no_error(lab):
    x = np.array([[1.0, 2.0], [-1.0, 0.5]])
    for method in (polyattr.Saliency, polyattr.GradientInput):
        result = method(lab.function(cube), backend=lab.name).attribute(lab.tensor(x))
        assert_close(result.scores, (x**3).sum(axis=1), 1e-6)
        assert result.baseline_scores is None
        assert result.completeness_gap is None
        assert result.error.tolist() == [0, 0]
        assert result.converged.tolist() == [True, True]
        assert result.evaluations.tolist() == [1, 1]
        assert result.method.startswith(method.__name__ + "(")


def test_the_mean_gradient_is_as_uncertain_as_the_product(lab):
    # The left sum misses 14.5% of the integral, whether or not x - b is multiplied in.
    method = polyattr.IntegratedGradients(
        lab.function(cube), backend=lab.name, rule="left", steps=10, multiply_by_inputs=False
    )
    result = method.attribute(lab.tensor(ONE))
    assert_close(lab.numpy(result.values), [[0.855]], 1e-5)
    assert result.error[0] != 0  # 0.145, or NaN for unknown, but not the 0 of an exact gradient
    assert not result.converged[0]


def test_the_standard_error_is_that_of_eight_group_means(lab):
    # The groups are made of pairs (e, -e), which must not be split: 12 pairs in 8 groups.
    network = random_network(33, 4, 8, 3, activation="tanh")
    x = single(np.random.default_rng(34).standard_normal((3, 4)))
    weights = one_hot([0, 1, 2], 3)
    pairs = []
    for draw in range(12):
        step = 0.3 * portable_noise(4, draw, 0, (4,)).astype(np.float64)
        pairs.append(
            (network.gradient(x + step, weights) + network.gradient(x - step, weights)) / 2
        )
    pairs, mean = np.stack(pairs), np.mean(pairs, axis=0)
    group = np.arange(12) * 8 // 12
    squared = sum(
        (group == g).mean() * (pairs[group == g].mean(axis=0) - mean) ** 2 / 7 for g in range(8)
    )
    expected = SHARE * np.sqrt(squared).sum(axis=1) / np.abs(mean).sum(axis=1)
    method = polyattr.SmoothGrad(
        lab.mlp(network), backend=lab.name, nb_samples=24, noise=0.3, seed=4, batch_size=7
    )
    result = method.attribute(lab.tensor(x), [0, 1, 2])
    assert_close(result.error, expected, 1e-4)
    assert_close(result.scores, network.outputs(x)[[0, 1, 2], [0, 1, 2]], 5e-6)
    assert result.evaluations.tolist() == [24] * 3
    assert result.converged.tolist() == (expected <= 0.05).tolist()
    assert result.seed == 4
    assert result.baseline_scores is None
    assert result.completeness_gap is None


@pytest.mark.parametrize("name", named(NOISY))
def test_the_standard_error_is_the_size_of_the_true_error(lab, name):
    # 400 independent features of one sample: their errors average to the standard error.
    f, sigma = 400, 0.5
    x = np.random.default_rng(0).standard_normal((1, f)) + 1.0
    second = {"SmoothGrad": 3 * (x**2 + sigma**2), "SquareGrad": 4 * (x**2 + sigma**2)}
    truth = second.get(name, np.full_like(x, 4 * sigma**2))
    body = cube if name == "SmoothGrad" else (lambda ops, t: ops.sum(t * t))
    method = getattr(polyattr, name)(
        lab.function(body), backend=lab.name, nb_samples=64, noise=sigma
    )
    result = method.attribute(lab.tensor(x))
    miss = np.abs(lab.numpy(result.values) - truth).sum() / np.abs(truth).sum()
    # Both are known to a few percent only.
    assert 0.8 <= miss / result.error[0] <= 1.25


def test_a_single_draw_allows_no_estimate(lab):
    method = polyattr.SmoothGrad(lab.function(cube), backend=lab.name, nb_samples=1)
    result = method.attribute(lab.tensor(ONE))
    assert np.isnan(result.error).all()
    assert not result.converged.any()


def test_the_predicted_class_is_recorded(lab):
    network = random_network(35, 4, 8, 3)
    x = single(np.random.default_rng(36).standard_normal((6, 4)))
    predicted = network.outputs(x).argmax(axis=1)
    assert len(set(predicted.tolist())) > 1
    for method in (
        polyattr.GradientInput(lab.mlp(network), backend=lab.name, batch_size=4),
        polyattr.SmoothGrad(lab.mlp(network), backend=lab.name, batch_size=4, nb_samples=2),
    ):
        result = method.attribute(lab.tensor(x))
        assert result.targets.tolist() == predicted.tolist()
        assert_close(result.scores, network.outputs(x).max(axis=1), 5e-6)
        again = method.explain(lab.tensor(x), predicted)
        assert (lab.numpy(result.values) == lab.numpy(again)).all()


def test_a_missed_tolerance_warns(lab):
    x = lab.tensor(np.array([[1.0], [2.0]]))
    method = polyattr.IntegratedGradients(
        lab.function(cube), backend=lab.name, rule="left", steps=10, tolerance=0.01
    )
    text = r"2 of 2 samples have a relative error above tolerance=0\.01 \(worst: 0\.168"
    with pytest.warns(polyattr.ConvergenceWarning, match=text):
        result = method.attribute(x)
    assert not result.converged.any()
    with pytest.warns(polyattr.ConvergenceWarning, match=text):
        method.explain(x)
    content = polyattr.IntegratedGradients(
        lab.function(cube), backend=lab.name, rule="left", steps=10, tolerance=0.2
    )
    assert content.attribute(x).converged.all()  # and no warning, which would be an error here
