"""Every method against its equation in NumPy float64, on a random network."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling.noise import portable_noise

RNG = np.random.default_rng(11)
X = single(RNG.standard_normal((4, 5)))
BASELINES = single(RNG.standard_normal((4, 5)))
TARGETS = np.array([2, 0, 1, 2])
WEIGHTS = one_hot(TARGETS, 3)
SMOOTH = random_network(12, 5, 8, 3, activation="tanh")


@pytest.fixture(scope="module")
def smooth(lab):
    return lab.mlp(SMOOTH)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_gradient_itself(lab, activation):
    network = random_network(13, 5, 16, 16, 3, activation=activation)
    gradient = network.gradient(X, WEIGHTS)
    saliency = polyattr.Saliency(lab.mlp(network), backend=lab.name)
    assert_close(lab.numpy(saliency.explain(lab.tensor(X), TARGETS)), np.abs(gradient))
    product = polyattr.GradientInput(lab.mlp(network), backend=lab.name)
    assert_close(lab.numpy(product.explain(lab.tensor(X), TARGETS)), X * gradient)


def trapezoid(n):
    weights = np.full(n, 1 / (n - 1))
    weights[[0, -1]] /= 2
    return np.linspace(0, 1, n), weights


def midpoint(n):
    return (np.arange(n) + 0.5) / n, np.full(n, 1 / n)


def gauss_legendre(n):
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


@pytest.mark.parametrize(
    ("rule", "quadrature"),
    [("trapezoid", trapezoid), ("midpoint", midpoint), ("gauss-legendre", gauss_legendre)],
)
def test_integrated_gradients(lab, smooth, rule, quadrature):
    nodes, weights = quadrature(7)
    if nodes[0] == 0:
        nodes[0] = nodes[1] / 100  # the start is taken from inside
    mean = sum(
        w * SMOOTH.gradient(BASELINES + t * (X - BASELINES), WEIGHTS)
        for t, w in zip(nodes, weights, strict=True)
    )
    method = polyattr.IntegratedGradients(smooth, backend=lab.name, rule=rule, steps=7)
    found = method.explain(lab.tensor(X), TARGETS, baselines=lab.tensor(BASELINES))
    assert_close(lab.numpy(found), (X - BASELINES) * mean)


def noisy_gradients(count, seed, noise, antithetic):
    """Draw j serves points 2 j, as it is, and 2 j + 1, negated; or point j where not in pairs."""
    gradients = []
    for point in range(count):
        draw, sign = (point // 2, 1 - 2 * (point % 2)) if antithetic else (point, 1)
        step = sign * noise * portable_noise(seed, draw, 0, X.shape[1:]).astype(np.float64)
        gradients.append(SMOOTH.gradient(X + step, WEIGHTS))
    return np.stack(gradients)


@pytest.mark.parametrize("count", [10, 7])
@pytest.mark.parametrize("antithetic", [True, False])
def test_smoothgrad(lab, smooth, count, antithetic):
    method = polyattr.SmoothGrad(
        smooth, backend=lab.name, nb_samples=count, noise=0.5, seed=9, antithetic=antithetic
    )
    found = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    assert_close(found, noisy_gradients(count, 9, 0.5, antithetic).mean(axis=0))


def test_squaregrad_and_vargrad(lab, smooth):
    gradients = noisy_gradients(10, 3, 0.5, antithetic=False)
    square = polyattr.SquareGrad(smooth, backend=lab.name, nb_samples=10, noise=0.5, seed=3)
    assert_close(lab.numpy(square.explain(lab.tensor(X), TARGETS)), (gradients**2).mean(axis=0))
    variance = polyattr.VarGrad(smooth, backend=lab.name, nb_samples=10, noise=0.5, seed=3)
    expected = gradients.var(axis=0, ddof=1)
    assert_close(lab.numpy(variance.explain(lab.tensor(X), TARGETS)), expected)


def test_every_input_has_noise_of_its_own(lab):
    a, b = X[:, :2], X[:, 2:4]
    model = lab.function(lambda ops, first, second: ops.sum(first * first * second))
    method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=6, noise=0.5, antithetic=False)
    found = method.explain((lab.tensor(a), lab.tensor(b)))
    firsts, seconds = [], []
    for draw in range(6):
        here = a + 0.5 * portable_noise(0, draw, 0, (2,))
        there = b + 0.5 * portable_noise(0, draw, 1, (2,))
        firsts.append(2 * here * there)
        seconds.append(here**2)
    assert_close(lab.numpy(found[0]), np.mean(firsts, axis=0))
    assert_close(lab.numpy(found[1]), np.mean(seconds, axis=0))
