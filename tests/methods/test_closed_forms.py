"""Values worked out on paper."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr


def cube(ops, x):
    return ops.sum(x * x * x)


@pytest.mark.parametrize(("points", "value"), [(10, 1.0061728), (50, 1.0002082)])
def test_cube_on_the_unit_interval(lab, points, value):
    # The trapezoid rule with h = 1 / (n - 1) integrates 3 t^2 to 1 + h^2 / 2.
    method = polyattr.IntegratedGradients(lab.function(cube), backend=lab.name, steps=points)
    found = float(lab.numpy(method.explain(lab.tensor(np.array([[1.0]]))))[0, 0])
    assert found == pytest.approx(value, abs=3e-7)


@pytest.mark.parametrize(
    ("rule", "points", "value"),
    [
        # f(x) = relu(x - 0.3) from 0 to 1: the gradient is 0 below 0.3 and 1 above.
        ("trapezoid", 5, 0.25 + 0.25 + 0.125),  # at 0.5, 0.75 and 1
        ("left", 5, 3 / 5),  # at 0.4, 0.6 and 0.8
        ("right", 5, 4 / 5),  # at 0.4, 0.6, 0.8 and 1
        ("midpoint", 5, 3 / 5),  # at 0.5, 0.7 and 0.9; relu'(0) = 0 at 0.3 itself is not asked
        # The value at 0 is continued from the first four nodes, the first of them inside.
        ("simpson", 5, 2 / 12 + 4 / 12 + 1 / 12 + (0.03 / 1.99 - 0.02 / 5.98) / 12),
        ("gauss-legendre", 2, 0.5),  # at 0.211 and 0.789
    ],
)
def test_a_kink_on_the_path(lab, rule, points, value):
    kink = 0.31 if rule == "midpoint" else 0.3
    model = lab.function(lambda ops, x: ops.sum(ops.relu(x - kink)))
    method = polyattr.IntegratedGradients(model, backend=lab.name, rule=rule, steps=points)
    result = method.attribute(lab.tensor(np.array([[1.0]])))
    assert float(lab.numpy(result.values)[0, 0]) == pytest.approx(value, abs=1e-6)
    assert result.completeness_gap[0] == pytest.approx(value - (1 - kink), abs=1e-6)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_the_gradient_at_a_kink_is_zero(lab):
    # relu(x - 0.5) with a node exactly on the kink: 0 there, so the upper half weighs 3/8.
    model = lab.function(lambda ops, x: ops.sum(ops.relu(x - 0.5)))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=5)
    found = lab.numpy(method.explain(lab.tensor(np.array([[1.0]]))))
    assert float(found[0, 0]) == pytest.approx(0.375, abs=1e-7)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_two_features_share_a_kink_in_proportion(lab):
    # relu(x + 2 y - 1) from 0 to (1, 1): active above alpha = 1/3, with gradient (1, 2).
    model = lab.function(
        lambda ops, x: ops.relu(ops.sum(x * ops.like(np.array([1.0, 2.0]), x)) - 1.0)
    )
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=5)
    found = lab.numpy(method.explain(lab.tensor(np.array([[1.0, 1.0]]))))
    assert_close(found, np.array([[0.625, 1.25]]), 1e-6)  # at 0.5, 0.75 and 1


@pytest.mark.parametrize("steps", [2, 50])
def test_bias_free_relu_networks_are_linear_along_rays(lab, steps):
    # Then x * gradient is the path integral from 0. At 0 itself every unit sits on its kink, and
    # the gradient there is a convention: the start of the path is taken from inside.
    network = random_network(3, 5, 16, 16, 4, bias=False)
    x = single(np.random.default_rng(4).standard_normal((6, 5)))
    targets = np.arange(6) % 4
    model = lab.mlp(network)
    integrated = polyattr.IntegratedGradients(model, backend=lab.name, steps=steps)
    result = integrated.attribute(lab.tensor(x), targets)
    product = polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(x), targets)
    expected = x * network.gradient(x, one_hot(targets, 4))
    assert_close(lab.numpy(product), expected)
    assert_close(lab.numpy(result.values), expected)
    f = network.outputs(x)[np.arange(6), targets]
    assert_close(lab.numpy(result.values).sum(axis=1), f)
    assert_close(result.scores, f)
    assert np.abs(result.completeness_gap).max() <= 1e-5 * np.abs(f).max()


def test_mean_gradient_without_the_factor(lab):
    method = polyattr.IntegratedGradients(
        lab.function(cube), backend=lab.name, steps=10, baseline_value=0.0, multiply_by_inputs=False
    )
    found = lab.numpy(method.explain(lab.tensor(np.array([[2.0], [-1.0]]))))
    # The gradient 3 (2 t)^2 integrates to 4 (1 + h^2 / 2).
    assert_close(found, np.array([[4.0], [1.0]]) * (1 + 1 / 162), 1e-6)


def test_completeness_of_a_smooth_network(lab):
    network = random_network(5, 4, 12, 3, activation="tanh")
    rng = np.random.default_rng(6)
    x, baselines = single(rng.standard_normal((5, 4))), single(rng.standard_normal((5, 4)))
    method = polyattr.IntegratedGradients(
        lab.mlp(network), backend=lab.name, rule="gauss-legendre", steps=16
    )
    result = method.attribute(lab.tensor(x), 1, baselines=baselines)
    difference = network.outputs(x)[:, 1] - network.outputs(baselines)[:, 1]
    assert_close(lab.numpy(result.values).sum(axis=1), difference)
    assert result.converged.all()
