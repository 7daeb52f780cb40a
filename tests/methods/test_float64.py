"""In float64 every number is true to 1e-14, relative to the largest of its map."""

import math

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr.sampling.noise import portable_noise

RNG = np.random.default_rng(21)
X, BASELINES = RNG.standard_normal((2, 3, 4))
C = RNG.standard_normal(4)
SMOOTH = random_network(22, 4, 6, 3, activation="tanh")
TARGETS = np.array([0, 2, 1])


@pytest.fixture(autouse=True)
def double(lab):
    with lab.double():
        yield


def polynomial(ops, x):
    return ops.sum(x * x * x * x * 0.25 + x * x * 0.5 + x * ops.like(C, x))


def slope(x):
    return x**3 + x + C


def node_tables(n):
    """Nodes and weights by independent means: NumPy's Gauss nodes, and plain fractions."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    uniform, left = np.linspace(0, 1, n), np.arange(n) / n
    for ascending in (uniform, left):
        ascending[0] = ascending[1] / 100  # the start is taken from inside
    ends = np.full(n, 1 / (n - 1))
    ends[[0, -1]] /= 2
    return {
        "left": (left, np.full(n, 1 / n)),
        "midpoint": ((np.arange(n) + 0.5) / n, np.full(n, 1 / n)),
        "trapezoid": (uniform, ends),
        "gauss-legendre": ((nodes + 1) / 2, weights / 2),
    }


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.parametrize("rule", ["left", "midpoint", "trapezoid", "gauss-legendre"])
def test_integrated_gradients_of_a_polynomial(lab, rule):
    nodes, weights = node_tables(50)[rule]
    mean = np.zeros_like(X)
    for i in np.ndindex(*X.shape):
        column = i[1]
        path = BASELINES[i] + nodes * (X[i] - BASELINES[i])
        mean[i] = math.fsum(weights * (path**3 + path + C[column]))
    method = polyattr.IntegratedGradients(
        lab.function(polynomial), backend=lab.name, rule=rule, batch_size=16
    )
    found = method.explain(lab.tensor(X, "float64"), baselines=lab.tensor(BASELINES, "float64"))
    assert lab.dtype(found) == "float64"
    assert_close(lab.numpy(found), (X - BASELINES) * mean, 1e-14)


@pytest.mark.parametrize(("rule", "steps"), [("simpson", 9), ("gauss-legendre", 2)])
def test_rules_exact_for_a_cubic_gradient_leave_no_gap(lab, rule, steps):
    method = polyattr.IntegratedGradients(
        lab.function(polynomial), backend=lab.name, rule=rule, steps=steps, tolerance=1e-13
    )
    result = method.attribute(lab.tensor(X, "float64"), baselines=BASELINES)
    assert np.abs(result.completeness_gap).max() <= 1e-14 * np.abs(result.scores).max()
    # Two points are compared with nothing: that they were enough cannot be known.
    assert steps == 2 or result.error.max() <= 1e-13
    assert result.converged.all() == (steps > 2)


def test_gradients_and_noise(lab):
    weights = one_hot(TARGETS, 3)
    model, x = lab.mlp(SMOOTH), lab.tensor(X, "float64")
    product = polyattr.GradientInput(model, backend=lab.name).explain(x, TARGETS)
    assert_close(lab.numpy(product), X * SMOOTH.gradient(X, weights), 1e-14)
    noise = [portable_noise(0, draw, 0, (4,)).astype(np.float64) for draw in range(12)]
    gradients = np.stack([SMOOTH.gradient(X + 0.2 * e, weights) for e in noise])
    common = {"backend": lab.name, "nb_samples": 12, "batch_size": 16}
    square = polyattr.SquareGrad(model, **common).explain(x, TARGETS)
    assert_close(lab.numpy(square), (gradients**2).mean(axis=0), 1e-14)
    variance = polyattr.VarGrad(model, **common).explain(x, TARGETS)
    # Deviations are differences of gradients, some 10 times larger than themselves.
    assert_close(lab.numpy(variance), gradients.var(axis=0, ddof=1), 2e-13)


def test_numpy_inputs_take_the_dtype_of_the_model(lab):
    found = polyattr.Saliency(lab.function(polynomial), backend=lab.name).explain(X)
    assert lab.is_native(found)
    assert lab.dtype(found) == "float64"
    assert_close(lab.numpy(found), np.abs(slope(X)), 1e-14)
