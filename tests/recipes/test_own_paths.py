"""A path given as a function: its points, and its velocity by automatic differentiation."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr

NETWORK = random_network(2021, 5, 10, 3, activation="tanh")
RNG = np.random.default_rng(2022)
X, STARTS = (single(RNG.uniform(0.5, 2.0, (4, 5))) for _ in range(2))
TARGETS = np.array([0, 2, 1, 1])


def straight(x, b, alpha):
    return b + alpha * (x - b)


def power(x, b, alpha):
    """Straight in the square of each feature."""
    return (b**2 + alpha * (x**2 - b**2)) ** 0.5


def curved(x, b, alpha):
    """A detour that mixes features: no point depends on its own feature alone."""
    way = x - b
    return b + alpha * way + alpha * (1 - alpha) * (way[:, :1] - 2 * way[:, 1:2])


def made(lab, model=None, **settings):
    model = lab.mlp(NETWORK) if model is None else model
    return polyattr.IntegratedGradients(model, backend=lab.name, **settings)


@pytest.mark.parametrize(
    "settings", [{"steps": 9}, {"rule": "gauss-legendre", "steps": 6}], ids=str
)
@pytest.mark.parametrize("multiply", [True, False])
def test_a_straight_line_is_integrated_gradients(lab, settings, multiply):
    with lab.double():
        x, model = lab.tensor(X, "float64"), lab.mlp(NETWORK)
        own = made(lab, model, path=straight, multiply_by_inputs=multiply, batch_size=7, **settings)
        plain = made(lab, model, multiply_by_inputs=multiply, **settings)
        found, wanted = (m.attribute(x, TARGETS, baselines=STARTS) for m in (own, plain))
    assert_close(lab.numpy(found.values), lab.numpy(wanted.values), 1e-12)
    assert_close(lab.numpy(found.standard_error), lab.numpy(wanted.standard_error), 1e-6)
    assert_close(found.scores, wanted.scores, 1e-12)
    assert (found.completeness_gap is None) == (not multiply)


def test_a_power_path_in_closed_form(lab):
    """Along it, y^2 is linear in x^2, and so the integral of y^2 dx is a polynomial."""
    model = lab.function(lambda ops, x: ops.sum(x[:, :1] * x[:, 1:2] * x[:, 1:2]))
    with lab.double():
        x = lab.tensor(X[:, :2], "float64")
        method = made(lab, model, path=power, rule="gauss-legendre", steps=24)
        result = method.attribute(x, baselines=STARTS[:, :2])
    (a, b), (x0, x1) = STARTS[:, :2].T, X[:, :2].T
    slope = (x1**2 - b**2) / (x0**2 - a**2)
    first = (b**2 - slope * a**2) * (x0 - a) + slope * (x0**3 - a**3) / 3
    whole = x0 * x1**2 - a * b**2
    assert_close(lab.numpy(result.values), np.stack([first, whole - first], axis=1), 1e-12)
    assert np.abs(result.completeness_gap).max() <= 1e-12


def test_a_path_that_mixes_features_is_complete(lab):
    with lab.double():
        x = lab.tensor(X, "float64")
        method = made(lab, path=curved, rule="gauss-legendre", steps=30)
        result = method.attribute(x, TARGETS, baselines=STARTS)
        plain = lab.numpy(made(lab).explain(x, TARGETS, baselines=STARTS))
    assert np.abs(result.completeness_gap).max() <= 1e-12
    rise = result.scores - result.baseline_scores
    assert_close(lab.numpy(result.values).sum(axis=1), rise, 1e-12)
    assert np.abs(lab.numpy(result.values) - plain).max() > 0.01


@pytest.mark.parametrize("batch_size", [1, 7, None])
def test_rows_per_call_change_nothing(lab, batch_size):
    few = made(lab, path=curved, steps=20, batch_size=batch_size).explain(lab.tensor(X), TARGETS)
    assert_close(
        lab.numpy(few), lab.numpy(made(lab, path=curved, steps=20)(lab.tensor(X), TARGETS))
    )


def test_several_baselines_inputs_and_rounds(lab):
    several = np.stack([STARTS, X * 0.5], axis=1)
    with lab.double():
        x, method = lab.tensor(X, "float64"), made(lab, path=power, steps=12)
        each = [lab.numpy(method.explain(x, TARGETS, baselines=s)) for s in (STARTS, X * 0.5)]
        found = lab.numpy(method.explain(x, TARGETS, baselines=several))
        assert_close(found, np.mean(each, axis=0), 1e-12)
        auto = made(lab, path=power, steps="auto", tolerance=1e-3)
        result = auto.attribute(x, TARGETS, baselines=STARTS)
        assert result.converged.all()
        truth = lab.numpy(made(lab, path=power, steps=2049).explain(x, TARGETS, baselines=STARTS))
        assert_close(lab.numpy(result.values), truth, 1e-2)
        pair = made(lab, lab.function(lambda ops, a, b: ops.sum(a) * ops.sum(b * b)), path=power)
        gap = pair.attribute((x, x), baselines=1.0).completeness_gap
        assert np.abs(gap).max() < 0.1


def test_it_can_be_trained_through(lab):
    with lab.double():
        x, method = lab.tensor(X, "float64"), made(lab, path=power, steps=5, baseline_value=1.0)
        found = method.function(x, TARGETS)(x)

        def loss(inputs):
            phi = made(lab, path=power, steps=5, baseline_value=1.0).function(inputs, TARGETS)
            return lab.ops.total(lab.ops.sum(phi(inputs)))

        assert_close(lab.numpy(found), lab.numpy(method.explain(x, TARGETS)), 1e-12)
        run = lab.differentiated(loss)
        (slope,) = run(X)[1]
        step = 1e-5 * RNG.standard_normal(X.shape)
        assert (slope * step).sum() == pytest.approx(
            (run(X + step)[0] - run(X - step)[0]) / 2, 1e-5
        )


def test_what_the_path_closes_over_is_followed(lab):
    detour = [1.0]

    def path(x, b, alpha):
        return b + alpha * (x - b) + detour[0] * alpha * (1 - alpha)

    method = made(lab, path=path, steps=20)
    before = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    detour[0] = 2.0
    after = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    assert_close(after, lab.numpy(made(lab, path=path, steps=20).explain(lab.tensor(X), TARGETS)))
    assert np.abs(after - before).max() > 1e-3


def test_wrong_paths(lab):
    with pytest.raises(polyattr.InputTypeError, match=r"path is 3; expected a callable path\(x, b"):
        made(lab, path=3)
    with pytest.raises(
        polyattr.InputTypeError, match=r"path takes \(x, b\); expected path\(x, b, al"
    ):
        made(lab, path=lambda x, b: x)
    with pytest.raises(
        polyattr.InputError, match=r"path returned points of shape \(.*1\) for x of"
    ):
        made(lab, path=lambda x, b, alpha: alpha).explain(lab.tensor(X), TARGETS)
    with pytest.raises(polyattr.InputError, match="path returned a NoneType; expected the points"):
        made(lab, path=lambda x, b, alpha: None).explain(lab.tensor(X), TARGETS)


def test_a_path_that_ends_elsewhere_leaves_a_gap(lab):
    method = made(lab, path=lambda x, b, alpha: b + 0.5 * alpha * (x - b), steps=50)
    result = method.attribute(lab.tensor(3 * X), TARGETS)
    assert np.abs(result.completeness_gap).max() > 0.05
    assert not result.converged.all()
