"""Guided Integrated Gradients: its path, and what is left of it where it is straight."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.testing.path_references import guided
from polyattr.testing.scored import Scored

NETWORK = random_network(2001, 9, 16, 3)
RNG = np.random.default_rng(2002)
X, STARTS = single(RNG.standard_normal((4, 9))), single(RNG.standard_normal((4, 9)))
TARGETS = np.array([0, 2, 1, 1])
ROWS = np.arange(4)


def gradient(points):
    return NETWORK.gradient(points, one_hot(TARGETS, 3))


def made(lab, model=None, **settings):
    model = lab.mlp(NETWORK) if model is None else model
    return polyattr.GuidedIntegratedGradients(model, backend=lab.name, **settings)


@pytest.mark.parametrize(
    "settings",
    [
        {"steps": 9},
        {"steps": 12, "max_dist": 0.3},
        {"steps": 7, "max_dist": 1.0, "fraction": 0.0},
        {"steps": 2, "max_dist": 0.5, "fraction": 0.6},
    ],
    ids=str,
)
def test_it_is_the_loop_of_the_paper(lab, settings):
    whole = {"fraction": 0.25, "max_dist": 0.02, **settings}
    expected = guided(Scored(None, gradient), X, 0.5, **whole)
    with lab.double():
        method = made(lab, baseline_value=0.5, batch_size=3, **settings)
        result = method.attribute(lab.tensor(X, "float64"), TARGETS)
    assert_close(lab.numpy(result.values), expected, 1e-12)
    assert (result.evaluations == settings["steps"]).all()
    scores, origin = (NETWORK.outputs(p)[ROWS, TARGETS] for p in (X, np.full_like(X, 0.5)))
    assert_close(result.scores, scores, 1e-12)
    assert_close(result.completeness_gap, expected.sum(axis=1) - (scores - origin), 1e-10)


@pytest.mark.parametrize("settings", [{"max_dist": 0.0}, {"fraction": 1.0}], ids=str)
def test_without_leave_to_turn_it_is_integrated_gradients(lab, settings):
    with lab.double():
        x, model = lab.tensor(X, "float64"), lab.mlp(NETWORK)
        plain = polyattr.IntegratedGradients(model, backend=lab.name, steps=11)
        straight = plain.attribute(x, TARGETS, baselines=STARTS)
        found = made(lab, model, steps=11, **settings).attribute(x, TARGETS, baselines=STARTS)
        turned = made(lab, model, steps=11, max_dist=0.2).attribute(x, TARGETS, baselines=STARTS)
    assert_close(lab.numpy(found.values), lab.numpy(straight.values), 1e-12)
    assert_close(found.completeness_gap, straight.completeness_gap, 1e-9)
    assert np.abs(lab.numpy(turned.values) - lab.numpy(straight.values)).max() > 0.01


def test_more_points_leave_a_smaller_gap(lab):
    with lab.double():
        x = lab.tensor(X, "float64")
        gaps = [
            np.abs(made(lab, steps=n, max_dist=0.1).attribute(x, TARGETS).completeness_gap).max()
            for n in (16, 128)
        ]
    assert gaps[1] < gaps[0] / 4


@pytest.mark.parametrize("settings", [{}, {"max_dist": 1.0, "steps": 5}], ids=str)
def test_a_linear_model_has_its_weights(lab, settings):
    model = lab.function(lambda ops, x: ops.sum(x * ops.like(np.arange(-4.0, 5.0), x)))
    with lab.double():
        x = lab.tensor(X, "float64")
        found = lab.numpy(made(lab, model, **settings).explain(x, baselines=STARTS))
    assert_close(found, np.arange(-4.0, 5.0) * (X - STARTS), 1e-12)


def test_equal_features_have_equal_parts(lab):
    """Of two features with equal gradients neither goes before the other."""
    model = lab.function(lambda ops, x: ops.sum(x) * ops.sum(x * x))
    x = single(np.repeat(RNG.standard_normal((3, 2)), 2, axis=1))
    found = lab.numpy(made(lab, model, steps=6, max_dist=1.0, fraction=0.0).explain(lab.tensor(x)))
    assert_close(found[:, ::2], found[:, 1::2], 1e-6)


def test_several_inputs_take_one_decision(lab):
    def joined(ops, left, right):
        x = ops.concat([left, right])
        return ops.sum(x * x * ops.like(np.arange(1.0, 10.0), x)) * ops.sum(x)

    with lab.double():
        whole = made(lab, lab.function(lambda ops, x: joined(ops, x[:, :4], x[:, 4:])), steps=8)
        apart = made(lab, lab.function(joined), steps=8, batch_size=3)
        expected = lab.numpy(whole.explain(lab.tensor(X, "float64")))
        pair = apart.explain(tuple(lab.tensor(p, "float64") for p in (X[:, :4], X[:, 4:])))
    assert_close(np.concatenate([lab.numpy(p) for p in pair], axis=1), expected, 1e-12)


def test_a_gradient_that_is_not_a_number_ends_nothing(lab):
    """Other implementations look for the smallest gradients of none, for ever."""
    model = lab.function(lambda ops, x: ops.sum(ops.sqrt(x)) * ops.sum(x))
    x = np.array([[4.0, 1.0, 9.0], [1.0, -1.0, 2.0], [1.0, 4.0, 1.0]])
    with pytest.raises(polyattr.NonFiniteGradientError, match=r"sample 1 at alpha.*guided path"):
        made(lab, model, baseline_value=0.25).explain(lab.tensor(x))
    found = made(lab, model, baseline_value=0.25, steps=200).attribute(lab.tensor(x[::2]))
    assert np.abs(found.completeness_gap).max() < 0.01


def test_wrong_arguments(lab):
    for settings, said in (
        ({"steps": 1}, "steps is 1; expected at least 2"),
        ({"steps": "auto"}, "steps is 'auto'; expected an int of at least 2"),
        ({"fraction": 1.5}, "fraction is 1.5; expected a number from 0 to 1"),
        ({"max_dist": -0.1}, "max_dist is -0.1; expected a number from 0 to 1"),
        ({"max_dist": np.nan}, "max_dist is nan"),
        ({"fraction": "half"}, "fraction is 'half'; expected a number"),
    ):
        with pytest.raises(polyattr.PolyattrError, match=said):
            made(lab, **settings)
    several = np.stack([STARTS, -STARTS], axis=1)
    with pytest.raises(polyattr.InputError, match=r"2 baselines per sample; expected one"):
        made(lab).explain(lab.tensor(X), TARGETS, baselines=several)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
def test_features_read_by_their_sum_share_equally(lab, n):
    """Their gradients are the same number: neither is moved before the other."""

    def body(ops, x):
        z = x[:, 0] + x[:, 1]
        return ops.tanh(z * 0.7 - x[:, 2]) * x[:, 3] + z * z * 0.3

    rng = np.random.default_rng(n)
    x, starts = single(rng.standard_normal((n, 4))), single(rng.standard_normal((n, 4)))
    x[:, 1], starts[:, 1] = x[:, 0], starts[:, 0]
    with lab.double():
        method = made(lab, lab.function(body), steps=7, max_dist=0.3)
        found = lab.numpy(method.explain(lab.tensor(x, "float64"), baselines=starts))
    assert (found[:, 0] == found[:, 1]).all()
    assert (np.abs(found[:, 0] - found[:, 2]) > 1e-3).any()
