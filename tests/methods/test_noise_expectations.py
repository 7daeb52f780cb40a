"""Noise methods against expectations known in closed form, and where they must be exact."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr

A = np.array([0.5, 1.0, -2.0, 3.0])
X = np.array([[1.0, -1.0, 0.5, 0.0], [2.0, 0.0, -3.0, 1.0]])
SIGMA = 0.4


def quadratic(ops, x):
    return ops.sum(x * x * ops.like(A, x))


def within_four_standard_errors(found, expected, variance):
    assert (np.abs(found - expected) <= 4 * np.sqrt(variance)).all()


@pytest.mark.parametrize("source", ["portable", "native"])
def test_squaregrad_and_vargrad_of_a_quadratic(lab, source):
    # The gradient 2 a (x + e) is normal with mean 2 a x and variance v = 4 a^2 sigma^2.
    n, mean, v = 2000, 2 * A * X, np.broadcast_to(4 * A**2 * SIGMA**2, X.shape)
    common = {"backend": lab.name, "nb_samples": n, "noise": SIGMA, "noise_source": source}
    square = polyattr.SquareGrad(lab.function(quadratic), **common)
    found = lab.numpy(square.explain(lab.tensor(X)))
    within_four_standard_errors(found, mean**2 + v, (2 * v**2 + 4 * mean**2 * v) / n)
    variance = polyattr.VarGrad(lab.function(quadratic), **common)
    found = lab.numpy(variance.explain(lab.tensor(X)))
    within_four_standard_errors(found, v, 2 * v**2 / (n - 1))


@pytest.mark.parametrize("antithetic", [True, False])
def test_smoothgrad_of_a_cube(lab, antithetic):
    # The gradient 3 (x + e)^2 has mean 3 x^2 + 3 sigma^2; of a pair, only 3 e^2 remains random.
    n, pairs = 2000, 1000
    method = polyattr.SmoothGrad(
        lab.function(lambda ops, x: ops.sum(x * x * x)),
        backend=lab.name,
        nb_samples=n,
        noise=SIGMA,
        antithetic=antithetic,
    )
    found = lab.numpy(method.explain(lab.tensor(X)))
    chi = 18 * SIGMA**4
    variance = chi / pairs if antithetic else (36 * X**2 * SIGMA**2 + chi) / n
    within_four_standard_errors(found, 3 * X**2 + 3 * SIGMA**2, variance)


@pytest.mark.parametrize("weight", [1000.0, 1000.1])
@pytest.mark.parametrize("batch_size", [None, 7])
def test_vargrad_of_a_linear_model_is_zero(lab, weight, batch_size):
    w = np.array([weight, -weight, weight / 3])
    x = np.random.default_rng(0).standard_normal((3, 3))
    method = polyattr.VarGrad(
        lab.function(lambda ops, t: ops.sum(t * ops.like(w, t))),
        backend=lab.name,
        batch_size=batch_size,
    )
    result = method.attribute(lab.tensor(x))
    assert (lab.numpy(result.values) == 0).all()
    assert (result.error == 0).all()


def test_vargrad_is_never_negative(lab):
    network = random_network(1, 6, 32, 3)
    steep = type(network)(tuple((w * 300, b) for w, b in network.layers))
    x = single(np.random.default_rng(2).standard_normal((8, 6)))
    method = polyattr.VarGrad(lab.mlp(steep), backend=lab.name, noise=0.01, batch_size=64)
    found = lab.numpy(method.explain(lab.tensor(x), 0))
    assert found.min() >= 0
    assert found.max() > 1  # some kinks are crossed


def test_without_noise(lab):
    network = random_network(3, 4, 8, 2, activation="tanh")
    x = single(np.random.default_rng(4).standard_normal((3, 4)))
    weights = np.tile([1.0, 0.0], (3, 1))
    gradient = network.gradient(x, weights)
    common = {"backend": lab.name, "noise": 0.0, "nb_samples": 10}
    model = lab.mlp(network)
    smooth = polyattr.SmoothGrad(model, **common).explain(lab.tensor(x), 0)
    assert_close(lab.numpy(smooth), gradient, 3e-6)
    square = polyattr.SquareGrad(model, **common).explain(lab.tensor(x), 0)
    assert_close(lab.numpy(square), gradient**2, 3e-6)
    variance = polyattr.VarGrad(model, **common).explain(lab.tensor(x), 0)
    assert (lab.numpy(variance) == 0).all()


def test_no_noise_is_no_variance_by_construction(lab):
    # Equal copies: what a compiler, or a matrix product, rounds otherwise here and there is gone.
    network = random_network(1402, 5, 32, 3, activation="tanh")
    x = lab.tensor(np.random.default_rng(1403).standard_normal((7, 5)) * 1e3)
    method = polyattr.VarGrad(
        lab.mlp(network), backend=lab.name, noise=0.0, nb_samples=9, batch_size=5
    )
    assert (lab.numpy(method.explain(x, 1)) == 0).all()
