"""What a map says about its own error, feature by feature, against maps that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs.closeness import assert_close
from labs.error_bars import SHARE, bars
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr.sampling import RULES, quadrature

LOW_ORDER = ("left", "right", "midpoint", "trapezoid")


def nodes_of(rule, steps):
    nodes = quadrature(rule, steps)[0].copy()
    nodes[0] = nodes[0] or nodes[1] / 100
    return nodes


def flows(network, x, target, nodes):
    """Gradient times (x - 0) of one sample (F,) at the nodes of its path: (P, F)."""
    weights = one_hot([target] * len(nodes), network.outputs(x[None]).shape[1])
    return network.gradient(nodes[:, None] * x, weights) * x


def truth(network, x, target, count=20_000):
    return flows(network, x, target, (np.arange(count) + 0.5) / count).mean(axis=0)


def explained(lab, network, x, targets, **settings):
    method = polyattr.IntegratedGradients(lab.mlp(network), backend=lab.name, **settings)
    return method.attribute(lab.tensor(x, "float64"), targets)


@pytest.mark.parametrize("rule", [*LOW_ORDER, "gauss-legendre", "clenshaw-curtis"])
@pytest.mark.parametrize(("steps", "batch_size"), [(9, 5), (12, None), (3, 7)])
def test_the_error_is_told_by_neighbours(lab, rule, steps, batch_size):
    network = random_network(1401, 5, 16, 16, 3, activation="relu")
    x = np.random.default_rng(1402).standard_normal((4, 5))
    with lab.double():
        result = explained(
            lab, network, x, [0, 1, 2, 0], rule=rule, steps=steps, batch_size=batch_size
        )
        values, standard = lab.numpy(result.values), lab.numpy(result.standard_error)
    for i, target in enumerate([0, 1, 2, 0]):
        nodes = nodes_of(rule, steps)
        wanted, bound = bars(rule, nodes, flows(network, x[i], target, nodes), values[i])
        np.testing.assert_allclose(standard[i], wanted, rtol=1e-9, atol=1e-14)
        assert result.bound[i] * np.abs(values[i]).sum() == pytest.approx(bound, rel=1e-9)
        least = abs(result.completeness_gap[i]) / np.abs(values[i]).sum()
        stated = SHARE * wanted.sum() / np.abs(values[i]).sum()
        assert result.error[i] == pytest.approx(max(stated, least), rel=1e-6)


# A mean over samples: each is an estimate from few intervals.
@pytest.mark.parametrize(("activation", "most"), [("relu", 2.0), ("tanh", 2.0)])
@pytest.mark.parametrize("steps", [17, 50])
def test_the_stated_error_is_the_true_one(lab, activation, most, steps):
    rng = np.random.default_rng(1403)
    stated, true, covered, bounded = [], [], [], []
    for seed in range(3):
        network = random_network(1404 + seed, 8, 64, 64, 3, activation=activation)
        x, targets = rng.standard_normal((20, 8)), rng.integers(0, 3, 20)
        with lab.double():
            result = explained(lab, network, x, targets, steps=steps)
            values, standard = lab.numpy(result.values), lab.numpy(result.standard_error)
        exact = np.stack([truth(network, *each) for each in zip(x, targets, strict=True)])
        away = np.abs(values - exact)
        true.append(away.sum(axis=1) / np.abs(exact).sum(axis=1))
        stated.append(result.error)
        covered.append(away <= standard)
        bounded.append(result.bound >= true[-1])
    assert 0.8 <= np.mean(stated) / np.mean(true) <= most
    assert np.mean(bounded) >= 0.95
    if activation == "relu":
        assert 0.55 <= np.mean(covered) <= 0.85


@pytest.mark.parametrize("rule", RULES)
def test_a_linear_model_has_no_error(lab, rule):
    weights = np.array([1.0, -2.0, 0.5])
    method = polyattr.IntegratedGradients(
        lab.function(lambda ops, x: ops.sum(x * ops.like(weights, x))), backend=lab.name, rule=rule
    )
    result = method.attribute(lab.tensor(np.ones((2, 3))))
    assert result.error.max() <= 1e-6
    assert np.abs(lab.numpy(result.standard_error)).max() <= 1e-6
    assert result.bound.max() <= 1e-4
    assert result.converged.all()


@settings(deadline=None, max_examples=8)
@given(scale=st.sampled_from([1e-30, 1e-12, 1.0, 1e12, 1e30]), batch=st.sampled_from([3, 16, None]))
def test_errors_have_the_scale_of_the_map(lab, scale, batch):
    def model(factor):
        return lab.function(lambda ops, x: ops.sum(ops.relu(x - 0.3) * x) * factor)

    x = lab.tensor(np.array([[1.0, 0.5], [0.2, -1.0], [0.9, 0.31]]))
    one, scaled = (
        polyattr.IntegratedGradients(
            model(factor), backend=lab.name, steps=10, batch_size=batch
        ).attribute(x)
        for factor in (1.0, scale)
    )
    assert_close(lab.numpy(scaled.standard_error) / scale, lab.numpy(one.standard_error), 1e-4)
    assert_close(scaled.bound, one.bound, 1e-4)


def test_several_baselines_share_the_path(lab):
    """Of K paths each weighs a K-th: with equal baselines the errors of one, over the root of K."""
    network = random_network(1405, 4, 12, 2, activation="relu")
    x = np.random.default_rng(1406).standard_normal((3, 4))
    with lab.double():
        method = polyattr.IntegratedGradients(lab.mlp(network), backend=lab.name, steps=11)
        inputs = lab.tensor(x, "float64")
        one = method.attribute(inputs, [0, 1, 0], baselines=np.zeros((3, 4)))
        four = method.attribute(inputs, [0, 1, 0], baselines=np.zeros((3, 4, 4)))
        away = lab.numpy(four.standard_error) * 2, lab.numpy(one.standard_error)
        assert_close(lab.numpy(four.values), lab.numpy(one.values), 1e-9)
    ratio = away[0] / np.maximum(away[1], 1e-300)
    assert (ratio[away[1] > 0] <= 2 + 1e-6).all()
    assert_close(four.bound, one.bound, 1e-9)


def test_several_inputs_have_errors_in_their_containers(lab):
    method = polyattr.IntegratedGradients(
        lab.function(lambda ops, a, b: ops.sum(ops.relu(a - 0.4) * b)), backend=lab.name, steps=9
    )
    a, b = np.array([[1.0, 2.0], [0.5, 0.1]]), np.array([[1.0, -1.0], [2.0, 0.3]])
    result = method.attribute((lab.tensor(a), lab.tensor(b)))
    assert isinstance(result.standard_error, tuple)
    assert [part.shape for part in result.standard_error] == [(2, 2), (2, 2)]
    total = sum(lab.numpy(part).sum(axis=1) for part in result.standard_error)
    size = sum(np.abs(lab.numpy(part)).sum(axis=1) for part in result.values)
    assert (result.error >= SHARE * total / size * (1 - 1e-4)).all()


@pytest.mark.parametrize("first", ["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("IntegratedGradients", {}),
        ("IntegratedGradients", {"steps": "auto"}),
        ("IntegratedGradients", {"rule": "exact"}),
        ("SmoothGrad", {"nb_samples": 8, "noise": 0.5}),
        ("IDGI", {"steps": 9}),
    ],
    ids=["fixed", "auto", "exact", "noise", "idgi"],
)
def test_inputs_of_two_precisions_are_summed_in_the_wider(lab, name, settings, first):
    second = "float32" if first == "float64" else "float64"

    def model(ops, a, b):
        a, b = ops.cast(a, "float64"), ops.cast(b, "float64")
        return ops.sum(ops.relu(a - 0.4)) + ops.sum(ops.relu(b - 0.3))

    a, b = np.array([[1.0, 2.0], [0.5, 0.1]]), np.array([[1.0, -1.0], [2.0, 0.3]])
    with lab.double():
        method = getattr(polyattr, name)(lab.function(model), backend=lab.name, **settings)
        inputs = lab.tensor(a, first), lab.tensor(b, second)
        result = method.attribute(inputs)
        method.explain(inputs)
        sums = sum(np.abs(lab.numpy(part)).sum(axis=1) for part in result.values)
        stated = sum(lab.numpy(part).sum(axis=1) for part in result.standard_error)
    assert (result.error >= SHARE * stated / sums * (1 - 1e-5) - 1e-12).all()
    assert np.isfinite(result.error).all()


def test_what_is_far_off_is_said_by_both_calls(lab):
    method = polyattr.IntegratedGradients(
        lab.function(lambda ops, x: ops.sum(ops.relu(x - 0.77))), backend=lab.name, steps=4
    )
    x = lab.tensor(np.array([[1.0], [0.5]]))
    for call in (method.explain, method.attribute):
        with pytest.warns(polyattr.ConvergenceWarning, match=r"1 of 2 .* above 0\.05"):
            call(x)
    accepting = polyattr.IntegratedGradients(
        lab.function(lambda ops, x: ops.sum(ops.relu(x - 0.77))),
        backend=lab.name, steps=4, tolerance=3.0,
    )  # fmt: skip
    accepting.explain(x)
