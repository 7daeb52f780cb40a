"""steps="auto": every sample takes as many points as its own map needs."""

from dataclasses import dataclass

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr
from polyattr.sampling import FixedNodes, NestedNodes, PathIntegral

NETWORK = random_network(1001, 4, 12, 3, activation="tanh")
# Longer paths bend more often, so that samples of other lengths finish at other rounds.
LENGTHS = np.array([0.05, 6.0, 0.8, 2.0, 14.0, 0.3, 3.5])
X = single(np.random.default_rng(1002).standard_normal((7, 4))) * LENGTHS[:, None]
TARGETS = np.arange(7) % 3


def integrated(lab, model=None, **arguments):
    model = lab.mlp(NETWORK) if model is None else model
    return polyattr.IntegratedGradients(model, backend=lab.name, **arguments)


@dataclass(frozen=True)
class FromThere(FixedNodes):
    """A trapezoid whose start is taken from where all rounds have it."""

    inside = NestedNodes().inside


class Trapezoid(polyattr.IntegratedGradients):
    def recipe(self):
        return PathIntegral(nodes=FromThere(self.steps))


def trapezoid(lab, steps, model=None):
    return Trapezoid(lab.mlp(NETWORK) if model is None else model, backend=lab.name, steps=steps)


def fixed(lab, *steps):
    """The trapezoids with so many points, of all samples."""
    x = lab.tensor(X, "float64")
    wanted = {int(s) for s in steps}
    return {s: lab.numpy(trapezoid(lab, s).explain(x, TARGETS)) for s in wanted}


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_every_sample_is_the_trapezoid_it_stopped_at(lab):
    with lab.double():
        result = integrated(lab, steps="auto").attribute(lab.tensor(X, "float64"), TARGETS)
        values = lab.numpy(result.values)
        steps = result.evaluations
        intervals = steps - 1
        assert len(set(steps.tolist())) >= 3
        assert ((intervals & (intervals - 1)) == 0).all()
        assert steps.min() == 9
        rules = fixed(lab, *steps, *(intervals // 2 + 1), *(intervals // 4 + 1))
        for i, n in enumerate(intervals):
            last, before, first = (rules[n // share + 1][i] for share in (1, 2, 4))
            assert_close(values[i], last, 1e-10)
            change = np.linalg.norm(last - before) / np.linalg.norm(last)
            stated = np.sqrt(2 / np.pi) * np.abs(last - before).sum() / np.abs(last).sum()
            assert result.error[i] == pytest.approx(stated, rel=1e-6)
            assert change <= 0.01
            if n > 8:  # it did not stop later than it could
                assert np.linalg.norm(before - first) > 0.01 * np.linalg.norm(before)
        assert result.converged.all()


def test_the_gap_belongs_to_the_map(lab):
    with lab.double():
        result = integrated(lab, steps="auto").attribute(lab.tensor(X, "float64"), TARGETS)
        rows = np.arange(7)
        rise = NETWORK.outputs(X)[rows, TARGETS] - NETWORK.outputs(X * 0)[rows, TARGETS]
        gap = lab.numpy(result.values).sum(axis=1) - rise
        assert np.abs(result.completeness_gap - gap).max() <= 1e-8
        assert np.abs(gap).max() > 1e-6
        assert_close(result.scores, NETWORK.outputs(X)[rows, TARGETS], 1e-10)
        assert_close(result.baseline_scores, NETWORK.outputs(X * 0)[rows, TARGETS], 1e-10)


def test_a_smaller_tolerance_takes_more_points_and_comes_nearer(lab):
    with lab.double():
        x = lab.tensor(X, "float64")
        exact = lab.numpy(integrated(lab, steps=4097).explain(x, TARGETS))
        found = {}
        for tolerance in (0.1, 1e-4):
            method = integrated(lab, steps="auto", tolerance=tolerance)
            found[tolerance] = method.attribute(x, TARGETS)
        norm = np.linalg.norm(exact, axis=1)
        for tolerance, result in found.items():
            away = np.linalg.norm(lab.numpy(result.values) - exact, axis=1)
            assert (away <= tolerance * norm).all()
            assert result.error.max() <= tolerance
        assert (found[1e-4].evaluations >= found[0.1].evaluations).all()
        assert (found[1e-4].evaluations > found[0.1].evaluations).any()


@pytest.mark.parametrize("batch_size", [1, 3, 7, 64])
def test_rows_per_call_change_nothing(lab, batch_size):
    with lab.double():
        x = lab.tensor(X, "float64")
        whole = integrated(lab, steps="auto", batch_size=None).attribute(x, TARGETS)
        parts = integrated(lab, steps="auto", batch_size=batch_size).attribute(x, TARGETS)
        assert_close(lab.numpy(parts.values), lab.numpy(whole.values), 1e-10)
        assert (parts.evaluations == whole.evaluations).all()
        assert_close(parts.error, whole.error, 1e-7)
        assert np.abs(parts.completeness_gap - whole.completeness_gap).max() <= 1e-8


def test_company_changes_nothing(lab):
    with lab.double():
        method = integrated(lab, steps="auto", batch_size=5)
        together = method.attribute(lab.tensor(X, "float64"), TARGETS)
        for i in range(len(X)):
            alone = method.attribute(lab.tensor(X[i : i + 1], "float64"), int(TARGETS[i]))
            assert_close(lab.numpy(alone.values)[0], lab.numpy(together.values)[i], 1e-10)
            assert alone.evaluations[0] == together.evaluations[i]
            assert alone.error[0] == pytest.approx(together.error[i], rel=1e-7)


def wave(ops, x):
    return ops.sum(ops.tanh(x * 2.0) * x)


@pytest.mark.parametrize("batch_size", [3, None])
def test_no_call_is_larger_and_nothing_is_traced_again(lab, batch_size):
    model, counter = lab.counting(wave)
    method = integrated(lab, model, steps="auto", batch_size=batch_size)
    first = method.attribute(lab.tensor(X * 0.01))
    assert (first.evaluations == 9).all()  # a single round
    counter.reset()
    second = method.attribute(lab.tensor(X))
    assert len(set(second.evaluations.tolist())) >= 4
    if batch_size is not None:
        assert counter.largest <= batch_size
    assert counter.bodies == (0 if lab.compiled else counter.calls)


@pytest.mark.parametrize("batch_size", [1, 64])
def test_no_gradient_is_computed_twice(lab, batch_size):
    model, counter = lab.counting(wave)
    method = integrated(lab, model, steps="auto", batch_size=batch_size)
    result = method.attribute(lab.tensor(X))
    counter.reset()
    method.explain(lab.tensor(X))
    # Padding to tiles of one shape is all that comes on top.
    most = result.evaluations.sum() if batch_size == 1 else 64 * counter.calls
    assert result.evaluations.sum() <= counter.rows <= most


def test_samples_that_need_more_than_there_may_be(lab):
    with lab.double():
        x = lab.tensor(X, "float64")
        free = integrated(lab, steps="auto", tolerance=1e-3).attribute(x, TARGETS)
        short = free.evaluations > 17
        assert 0 < short.sum() < len(X)
        method = integrated(lab, steps="auto", tolerance=1e-3, max_steps=32)
        said = rf"{short.sum()} of 7 samples .*tolerance=0.001.*raise max_steps"
        with pytest.warns(polyattr.ConvergenceWarning, match=said):
            result = method.attribute(x, TARGETS)
        assert (result.converged == ~short).all()
        assert result.evaluations.max() == 17
        assert_close(lab.numpy(result.values)[short], fixed(lab, 17)[17][short], 1e-10)
        with pytest.warns(polyattr.ConvergenceWarning, match="raise max_steps"):
            method.explain(x, TARGETS)  # asked for, it is checked whatever is returned


def test_without_a_tolerance_nothing_is_said(lab):
    method = integrated(lab, steps="auto", max_steps=9)
    result = method.attribute(lab.tensor(X), TARGETS)
    assert (result.evaluations == 9).all()
    assert (result.converged == (result.error <= 0.05)).all()
    assert not result.converged.all()


def pair(ops, left, right):
    return ops.sum(ops.tanh(left * right * 2.0) + ops.tanh(left * 3.0 - right))


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_several_inputs_move_together(lab):
    with lab.double():
        left, right = X[:, :2], X[:, 2:] * 0.5
        inputs = (lab.tensor(left, "float64"), lab.tensor(right, "float64"))
        model = lab.function(pair)
        result = integrated(lab, model, steps="auto", batch_size=5).attribute(inputs)
        assert len(set(result.evaluations.tolist())) > 2
        for steps in {9, int(result.evaluations.max())}:
            chosen = result.evaluations == steps
            last = trapezoid(lab, steps, model).explain(inputs)
            before = trapezoid(lab, steps // 2 + 1, model).explain(inputs)
            found, last, before = (
                np.concatenate([lab.numpy(part) for part in parts], axis=1)[chosen]
                for parts in (result.values, last, before)
            )
            assert_close(found, last, 1e-10)
            change = np.abs(last - before).sum(axis=1) / np.abs(last).sum(axis=1)
            change *= np.sqrt(2 / np.pi)
            assert_close(result.error[chosen], change, 1e-6)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
def test_several_baselines_count_as_one_map(lab):
    with lab.double():
        x, rng = lab.tensor(X, "float64"), np.random.default_rng(1003)
        starts = rng.standard_normal((3, 7, 4))
        result = integrated(lab, steps="auto", batch_size=10).attribute(
            x, TARGETS, baselines=np.stack(starts, axis=1)
        )
        each = result.evaluations // 3
        assert (each * 3 == result.evaluations).all()
        assert len(set(each.tolist())) > 1
        for steps in set(each.tolist()):
            method, chosen = trapezoid(lab, steps), each == steps
            maps = [lab.numpy(method.explain(x, TARGETS, baselines=b)) for b in starts]
            assert_close(lab.numpy(result.values)[chosen], np.mean(maps, axis=0)[chosen], 1e-10)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"max_steps": 8}, "max_steps"),
        ({"rule": "simpson"}, "'simpson'.*steps='auto' refines trapezoids"),
        ({"tolerance": -0.1}, "tolerance"),
    ],
)
def test_what_cannot_be_refined(lab, arguments, said):
    with pytest.raises(polyattr.InputError, match=said):
        integrated(lab, steps="auto", **arguments)


def test_steps_are_a_number_or_auto(lab):
    with pytest.raises(polyattr.InputTypeError, match="steps"):
        integrated(lab, steps="all")
