"""Integrated Gradients from several baselines per sample is their average."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr

NETWORK = random_network(1041, 4, 10, 3, activation="tanh")
RNG = np.random.default_rng(1042)
X, STARTS = single(RNG.standard_normal((5, 4))), single(RNG.standard_normal((5, 3, 4)))
TARGETS = np.array([0, 1, 2, 0, 1])
ROWS = np.arange(5)


def integrated(lab, **arguments):
    return polyattr.IntegratedGradients(
        lab.mlp(NETWORK), **{"backend": lab.name, "steps": 12, **arguments}
    )


def mean_of_runs(lab, method, starts=STARTS):
    runs = [
        lab.numpy(method.explain(lab.tensor(X), TARGETS, baselines=starts[:, k]))
        for k in range(starts.shape[1])
    ]
    return np.mean(runs, axis=0, dtype=np.float64)


@pytest.mark.parametrize("rule", ["trapezoid", "gauss-legendre"])
@pytest.mark.parametrize("multiply", [True, False])
def test_the_mean_of_single_runs(lab, multiply, rule):
    method = integrated(lab, multiply_by_inputs=multiply, rule=rule)
    truth = mean_of_runs(lab, method)
    result = method.attribute(lab.tensor(X), TARGETS, baselines=STARTS)
    assert_close(lab.numpy(result.values), truth)
    assert (result.evaluations == 36).all()
    base = NETWORK.outputs(STARTS.reshape(15, 4)).reshape(5, 3, 3)[ROWS, :, TARGETS].mean(axis=1)
    assert_close(result.baseline_scores, base)
    if multiply:
        gap = truth.sum(axis=1) - (result.scores - base)
        assert np.abs(result.completeness_gap - gap).max() <= 2e-6
    else:
        assert result.completeness_gap is None


def test_every_way_to_give_them(lab):
    method = integrated(lab)
    truth = mean_of_runs(lab, method)
    shared = np.broadcast_to(STARTS[:1], STARTS.shape)
    shared_truth = mean_of_runs(lab, method, shared)
    x = lab.tensor(X)
    ways = (STARTS, lab.tensor(STARTS), lambda _: STARTS)
    for given in ways:
        assert_close(lab.numpy(method.explain(x, TARGETS, baselines=given)), truth)
    found = integrated(lab, baseline_value=STARTS).explain(x, TARGETS)
    assert_close(lab.numpy(found), truth)
    for given in (STARTS[:1], lambda _: lab.tensor(STARTS[:1])):
        assert_close(lab.numpy(method.explain(x, TARGETS, baselines=given)), shared_truth)


@pytest.mark.parametrize("shared_first", [True, False])
def test_calls_with_shared_baselines_and_with_own_do_not_mix(lab, shared_first):
    """What one call plans, another may use: not where it finds its baselines."""
    method, x = integrated(lab), lab.tensor(X)
    calls = [STARTS[1:2], STARTS]
    for starts in calls if shared_first else calls[::-1]:
        found = lab.numpy(method.explain(x, TARGETS, baselines=starts))
        truth = mean_of_runs(lab, integrated(lab), np.broadcast_to(starts, STARTS.shape))
        assert_close(found, truth)


def test_a_callable_sees_the_inputs(lab):
    def around(x):
        values = lab.numpy(x)
        return np.stack([values - 1.0, values + 1.0, values * 0], axis=1)

    found = integrated(lab, baseline_value=around).explain(lab.tensor(X), TARGETS)
    assert_close(lab.numpy(found), mean_of_runs(lab, integrated(lab), around(lab.tensor(X))))


def test_one_of_many_is_that_one(lab):
    alone = integrated(lab).attribute(lab.tensor(X), TARGETS, baselines=STARTS[:, 0])
    found = integrated(lab).attribute(lab.tensor(X), TARGETS, baselines=STARTS[:, :1])
    assert_close(lab.numpy(found.values), lab.numpy(alone.values), 1e-6)
    assert_close(found.baseline_scores, alone.baseline_scores, 1e-6)
    assert (found.evaluations == 12).all()


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_rows_per_call_change_nothing(lab, batch_size):
    x = lab.tensor(X)
    whole = integrated(lab, batch_size=None).attribute(x, TARGETS, baselines=STARTS)
    parts = integrated(lab, batch_size=batch_size).attribute(x, TARGETS, baselines=STARTS)
    assert_close(lab.numpy(parts.values), lab.numpy(whole.values))
    assert_close(parts.baseline_scores, whole.baseline_scores)
    assert np.abs(parts.completeness_gap - whole.completeness_gap).max() <= 1e-5


def test_fine_steps_are_complete(lab):
    method = integrated(lab, rule="gauss-legendre", steps=16)
    result = method.attribute(lab.tensor(X), TARGETS, baselines=STARTS)
    assert np.abs(result.completeness_gap).max() <= 1e-5
    assert result.converged.all()


def product(ops, left, right):
    return ops.sum(ops.tanh(left) * right)


def test_several_inputs_move_on_paths_together(lab):
    inputs = (lab.tensor(X), lab.tensor(X[:, :1]))
    method = polyattr.IntegratedGradients(
        lab.function(product), backend=lab.name, steps=12, batch_size=7
    )
    left, right = STARTS, STARTS[:1, :, :1]  # one of them shared by all samples
    found = method.explain(inputs, baselines=(left, right))
    runs = []
    for k in range(3):
        start = (left[:, k], np.broadcast_to(right[:, k], (5, 1)))
        runs.append([lab.numpy(part) for part in method.explain(inputs, baselines=start)])
    for part, *each in zip(found, *runs, strict=True):
        assert_close(lab.numpy(part), np.mean(each, axis=0))


def test_inputs_with_other_numbers_of_baselines(lab):
    method = polyattr.IntegratedGradients(lab.function(product), backend=lab.name, steps=12)
    inputs = (lab.tensor(X), lab.tensor(X[:, :1]))
    for right, said in ((0.0, "3, 1"), (STARTS[:, :2, :1], "3, 2")):
        with pytest.raises(polyattr.InputError, match=f"baselines has {said} baselines per"):
            method.explain(inputs, baselines=(STARTS, right))


@pytest.mark.parametrize("shape", [(4, 3, 4), (5, 3, 3), (5, 0, 4), (1, 5, 3, 4)])
def test_shapes_that_are_neither(lab, shape):
    with pytest.raises(polyattr.InputError, match=r"baselines has shape.*\(5, K, \.\.\.\)"):
        integrated(lab).explain(lab.tensor(X), TARGETS, baselines=np.zeros(shape))


def test_numbers_that_are_none(lab):
    bad = STARTS.copy()
    bad[2, 1, 0] = np.nan
    with pytest.raises(polyattr.InputError, match="baselines contains nan"):
        integrated(lab).explain(lab.tensor(X), TARGETS, baselines=bad)


def test_at_a_layer(lab):
    method = polyattr.IntegratedGradients(
        lab.network(NETWORK, softmax=False), input_layer="dense0", steps=12, batch_size=7
    )
    hidden = single(np.random.default_rng(1043).standard_normal((5, 3, 10)))
    truth = mean_of_runs(lab, method, hidden)
    result = method.attribute(lab.tensor(X), TARGETS, baselines=hidden)
    assert_close(lab.numpy(result.values), truth)
    last, bias = NETWORK.layers[1]
    base = (np.tanh(hidden) @ last + bias)[ROWS, :, TARGETS].mean(axis=1)
    assert_close(result.baseline_scores, base)


def test_what_the_model_takes_beside(lab):
    def scores(ops, x, factor):
        return ops.sum(ops.tanh(x) * x) * factor

    factors = single(np.arange(1.0, 6.0))
    method = polyattr.IntegratedGradients(
        lab.function(scores), backend=lab.name, steps=12, batch_size=7
    )
    result = method.attribute(lab.tensor(X), baselines=STARTS, forward_args=(lab.tensor(factors),))
    base = (np.tanh(STARTS) * STARTS).sum(axis=2).mean(axis=1)
    assert_close(result.baseline_scores, factors * base)
    rise = factors * ((np.tanh(X) * X).sum(axis=1) - base)
    assert_close(lab.numpy(result.values).sum(axis=1), rise, 0.02)
