"""rule="exact": Integrated Gradients of ReLU networks to rounding, against a walk over kinks."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single
from labs.straight_walk import walked

import polyattr

SIZES = [(6, 40, 3), (8, 32, 32, 3), (5, 24, 24, 24, 3)]
TARGETS = np.array([0, 1, 2, 1])


def exact(lab, model, **settings):
    return polyattr.IntegratedGradients(model, backend=lab.name, rule="exact", **settings)


@pytest.mark.parametrize("sizes", SIZES, ids=["one layer", "two", "three"])
def test_the_integral_to_rounding(lab, sizes):
    network = random_network(1501, *sizes)
    x = np.random.default_rng(1502).standard_normal((4, sizes[0])) * 2
    walks = [walked(network, row, one_hot([t], 3)[0]) for row, t in zip(x, TARGETS, strict=True)]
    truth, pieces = np.stack([value for value, _ in walks]), np.array([p for _, p in walks])
    with lab.double():
        result = exact(lab, lab.mlp(network)).attribute(lab.tensor(x, "float64"), TARGETS)
        values = lab.numpy(result.values)
    size = np.abs(truth).sum(axis=1)
    assert (np.abs(values - truth).sum(axis=1) <= 1e-9 * size).all()
    assert np.abs(result.completeness_gap).max() <= 1e-12 * max(1.0, np.abs(result.scores).max())
    assert result.error.max() <= 1e-9
    assert result.converged.all()
    # Two points for each kink, and those that found it.
    assert (result.evaluations <= 8 * pieces + 12).all()


def test_float32_is_as_exact_as_its_numbers(lab):
    network = random_network(1503, 6, 24, 24, 3)
    x = single(np.random.default_rng(1504).standard_normal((4, 6)))
    truth = np.stack(
        [walked(network, row, one_hot([t], 3)[0])[0] for row, t in zip(x, TARGETS, strict=True)]
    )
    result = exact(lab, lab.mlp(network)).attribute(lab.tensor(x), TARGETS)
    away = np.abs(lab.numpy(result.values) - truth).sum(axis=1) / np.abs(truth).sum(axis=1)
    assert away.max() <= 2e-4
    assert np.median(away) <= 2e-5
    assert result.error.max() <= 1e-3


def test_kinks_that_the_score_does_not_show(lab):
    """Two units bend at one place and cancel in the sum of the map: only gradients tell."""

    def model(ops, x):
        kink = ops.relu(x - 0.4)
        return ops.sum(kink * ops.like(np.array([1.0, -1.0]), x)) + ops.sum(x)

    with lab.double():
        x = lab.tensor(np.array([[1.0, 1.0]]), "float64")
        found = lab.numpy(exact(lab, lab.function(model)).explain(x))
    assert_close(found, [[1.6, 0.4]], 1e-9)


@pytest.mark.parametrize("settings", [{"rule": "exact"}, {"steps": "auto", "tolerance": 1e-3}])
def test_a_piece_between_points_with_equal_gradients(lab, settings):
    """A score that is flat at both ends, and rises in between: only the scores tell."""

    def model(ops, x):
        return ops.sum(ops.relu(x - 0.303) - ops.relu(x - 0.306))

    with lab.double():
        x = np.array([[1.0, 2.0], [3.0, -1.0], [0.25, 0.3]])
        method = polyattr.IntegratedGradients(lab.function(model), backend=lab.name, **settings)
        result = method.attribute(lab.tensor(x, "float64"))
    wanted = np.array([[0.003, 0.003], [0.003, 0.0], [0.0, 0.0]])
    near = 1e-12 if "rule" in settings else 3e-3 * 0.003
    assert np.abs(lab.numpy(result.values) - wanted).max() <= near
    assert result.converged.all()
    assert result.evaluations.max() < 150


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_mean_gradient_has_units_of_its_own(lab, scale):
    """What a map misses of the score says nothing about it: as many points in any units."""

    def model(ops, x):
        return ops.sum(ops.relu(x / scale - 0.3))

    method = polyattr.IntegratedGradients(
        lab.function(model), backend=lab.name, steps="auto", multiply_by_inputs=False
    )
    with lab.double():
        result = method.attribute(lab.tensor(np.array([[1.0, 2.0]]) * scale, "float64"))
    assert_close(lab.numpy(result.values) * scale, [[0.7, 0.85]], 1e-2)
    assert result.evaluations.tolist() == [21]


def test_leaky_and_hard_activations_and_the_largest_of_some(lab):
    def model(ops, x):
        leaky = ops.relu(x) - ops.relu(-x) * 0.1
        hard = ops.relu(x + 0.5) - ops.relu(x - 0.25)
        return ops.sum(ops.relu(leaky - hard) + leaky * 2.0)

    rng = np.random.default_rng(1505)
    x = rng.standard_normal((3, 5))
    start = rng.standard_normal((3, 5))
    with lab.double():
        inputs, starts = lab.tensor(x, "float64"), lab.tensor(start, "float64")
        fine = polyattr.IntegratedGradients(
            lab.function(model), backend=lab.name, steps=20_000, rule="midpoint"
        )
        wanted = lab.numpy(fine.explain(inputs, baselines=starts))
        result = exact(lab, lab.function(model)).attribute(inputs, baselines=starts)
        away = np.abs(lab.numpy(result.values) - wanted).sum(axis=1)
    # Within what midpoints may be off.
    assert (away <= 1e-3 * np.abs(wanted).sum(axis=1)).all()
    assert np.abs(result.completeness_gap).max() <= 1e-11


def test_batches_and_company_change_nothing(lab):
    network = random_network(1506, 5, 16, 16, 3)
    x = np.random.default_rng(1507).standard_normal((4, 5))
    with lab.double():
        whole = exact(lab, lab.mlp(network)).attribute(lab.tensor(x, "float64"), TARGETS)
        one = exact(lab, lab.mlp(network), batch_size=3).attribute(
            lab.tensor(x[1:2], "float64"), int(TARGETS[1])
        )
        assert_close(lab.numpy(one.values)[0], lab.numpy(whole.values)[1], 1e-10)


def test_without_room_it_is_the_trapezoid_of_what_there_is(lab):
    network = random_network(1508, 6, 64, 64, 3)
    x = np.random.default_rng(1509).standard_normal((4, 6)) * 3
    truth = np.stack(
        [walked(network, row, one_hot([t], 3)[0])[0] for row, t in zip(x, TARGETS, strict=True)]
    )
    with lab.double():
        result = exact(lab, lab.mlp(network), max_steps=40).attribute(
            lab.tensor(x, "float64"), TARGETS
        )
        away = np.abs(lab.numpy(result.values) - truth).sum(axis=1) / np.abs(truth).sum(axis=1)
    assert result.evaluations.max() <= 40
    assert (result.bound >= away).all()
    assert 0.3 * away.mean() <= result.error.mean() <= 6 * away.mean()
    assert result.error.mean() > 1e-4


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_smooth_network_is_refused(lab, precision):
    network = random_network(1510, 5, 16, 3, activation="tanh")
    x = single(np.random.default_rng(1511).standard_normal((2, 5)))
    with lab.double():
        method = exact(lab, lab.mlp(network))
        with pytest.raises(polyattr.InputError, match=r"piecewise linear.*steps='auto'"):
            method.explain(lab.tensor(x, precision), [0, 1])


def test_a_linear_model_takes_the_fewest_points(lab):
    weights = np.array([2.0, -1.0, 0.5])
    model = lab.function(lambda ops, x: ops.sum(x * ops.like(weights, x)))
    with lab.double():
        result = exact(lab, model).attribute(lab.tensor(np.ones((2, 3)), "float64"))
        assert_close(lab.numpy(result.values), np.stack([weights, weights]), 1e-14)
    assert result.evaluations.tolist() == [12, 12]


def test_fewer_points_than_are_probed_are_refused(lab):
    model = lab.mlp(random_network(1512, 3, 6, 2))
    x = lab.tensor(single(np.random.default_rng(1513).standard_normal((2, 3))))
    with pytest.raises(polyattr.InputError, match="max_steps is 11; expected at least 12"):
        exact(lab, model, max_steps=11)
    assert exact(lab, model, max_steps=12).attribute(x, 1).evaluations.tolist() == [12, 12]
