"""Integrated Gradients of a linear model is w (x - b), for every rule and any number of points."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.sampling.quadrature import RULES

LEGAL = [(rule, n) for rule in RULES for n in (1, 2, 3, 10, 50) if n >= RULES[rule].minimum]

W = np.array([1.5, -2.0, 0.25])
X = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 8.0], [0.0, -1.0, 2.0], [7.0, 7.0, -7.0]])


@pytest.fixture(scope="module")
def linear(lab):
    return lab.function(lambda ops, x: ops.sum(x * ops.like(W, x)) + 3.0)


@pytest.mark.parametrize(("rule", "steps"), LEGAL)
def test_every_rule_is_exact_from_a_zero_baseline(lab, linear, rule, steps):
    method = polyattr.IntegratedGradients(linear, backend=lab.name, rule=rule, steps=steps)
    assert_close(lab.numpy(method.explain(lab.tensor(X))), W * X, 1e-6)


@pytest.mark.parametrize(
    ("value", "baseline"),
    [
        (2.5, np.full_like(X, 2.5)),
        (np.array([1.0, -1.0, 4.0]), np.tile([1.0, -1.0, 4.0], (4, 1))),
        (lambda x: x * 0.5, X * 0.5),
    ],
    ids=["scalar", "array", "callable"],
)
def test_baseline_value(lab, linear, value, baseline):
    method = polyattr.IntegratedGradients(linear, backend=lab.name, steps=3, baseline_value=value)
    result = method.attribute(lab.tensor(X))
    assert_close(lab.numpy(result.values), W * (X - baseline), 1e-6)
    # In float32 the path begins at alpha = 2^-20, so that f(b) is off by that share of f(x) - f(b).
    change = np.abs((X - baseline) @ W).max()
    assert np.abs(result.baseline_scores - (baseline @ W + 3.0)).max() <= 2**-22 * change


def test_baselines_of_a_call_override_the_explainer(lab, linear):
    method = polyattr.IntegratedGradients(linear, backend=lab.name, steps=3, baseline_value=100.0)
    per_sample = np.random.default_rng(0).standard_normal(X.shape).astype(np.float32)
    shared = np.array([1.0, 0.0, -1.0], np.float32)
    cases = [
        (per_sample, per_sample),
        (lab.tensor(per_sample), per_sample),
        (shared, shared),
        (lab.tensor(shared), shared),
        (shared[None], shared),
        (-1, -1.0),
        (lambda x: x * 0.25, X * 0.25),
    ]
    for given, baseline in cases:
        found = lab.numpy(method.explain(lab.tensor(X), baselines=given))
        assert_close(found, W * (X - baseline), 1e-6)
    assert_close(lab.numpy(method.explain(lab.tensor(X))), W * (X - 100.0), 1e-6)


def test_baselines_of_several_inputs(lab):
    model = lab.function(lambda ops, a, b: ops.sum(a * ops.like(W, a)) + ops.sum(b) * 2.0)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=2, baseline_value=1.0)
    a, b = X, X[:, :2]
    inputs = (lab.tensor(a), lab.tensor(b))
    first, second = method.explain(inputs)
    assert_close(lab.numpy(first), W * (a - 1.0), 1e-6)
    assert_close(lab.numpy(second), 2.0 * (b - 1.0), 1e-6)
    first, second = method.explain(inputs, baselines=(3.0, b * 0.5))
    assert_close(lab.numpy(first), W * (a - 3.0), 1e-6)
    assert_close(lab.numpy(second), b, 1e-6)


def test_other_methods_on_the_linear_model(lab, linear):
    x = lab.tensor(X)
    gradient = np.tile(W, (4, 1))
    saliency = polyattr.Saliency(linear, backend=lab.name).explain(x)
    assert_close(lab.numpy(saliency), np.abs(gradient), 1e-6)
    product = polyattr.GradientInput(linear, backend=lab.name).explain(x)
    assert_close(lab.numpy(product), W * X, 1e-6)
    smooth = polyattr.SmoothGrad(linear, backend=lab.name, nb_samples=9).explain(x)
    assert_close(lab.numpy(smooth), gradient, 1e-6)
    square = polyattr.SquareGrad(linear, backend=lab.name, nb_samples=9).explain(x)
    assert_close(lab.numpy(square), gradient**2, 1e-6)


@pytest.mark.parametrize("shape", [(3,), (3, 2), (2, 3, 4), (2, 4, 4, 3), (2, 2, 2, 2, 2)])
def test_any_rank_of_input(lab, shape):
    rng = np.random.default_rng(len(shape))
    x, w = rng.standard_normal(shape), rng.standard_normal(shape[1:])
    model = lab.function(lambda ops, t: ops.sum(t * ops.like(w, t)))
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=5, batch_size=4)
    result = method.attribute(lab.tensor(x))
    assert_close(lab.numpy(result.values), w * x)
    assert_close(result.scores, (w * x).reshape(len(x), -1).sum(1))
