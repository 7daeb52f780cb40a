"""A path whose next point depends on the last gradient, as somebody outside would write it."""

import numpy as np
import pytest
from guided import Guided, Impatient, guided_by_hand
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling.noise import portable_noise

NETWORK = random_network(1021, 6, 12, 3, activation="tanh")
RNG = np.random.default_rng(1022)
X, STARTS = single(RNG.standard_normal((7, 6)) * 2), single(RNG.standard_normal((7, 6)))
TARGETS = np.arange(7) % 3


def gradient(points):
    return NETWORK.gradient(points, one_hot(TARGETS, 3))


def rise(start):
    rows = np.arange(7)
    return NETWORK.outputs(X)[rows, TARGETS] - NETWORK.outputs(start)[rows, TARGETS]


@pytest.mark.parametrize("batch_size", [1, 3, 64, None])
def test_the_map_is_that_of_the_formula(lab, batch_size):
    method = Guided(lab.mlp(NETWORK), backend=lab.name, batch_size=batch_size)
    with lab.double():
        x = lab.tensor(X, "float64")
        for start in (np.zeros_like(X), STARTS):
            points, expected = guided_by_hand(gradient, X, start, 8)
            assert_close(points[-1], X, 1e-12)
            result = method.attribute(x, TARGETS, baselines=start)
            assert_close(lab.numpy(result.values), expected, 1e-10)
            assert (result.evaluations == 9).all()
            gap = expected.sum(axis=1) - rise(start)
            assert_close(result.completeness_gap, gap, 1e-8)


def test_it_is_no_straight_path(lab):
    """Unless the path turned, the last test would say nothing."""
    points, found = guided_by_hand(gradient, X, STARTS, 8)
    straight = STARTS + (X - STARTS) * np.linspace(0, 1, 9)[:, None, None]
    assert np.abs(points - straight).max() > 0.5
    mean = np.mean([gradient(point) for point in straight[1:]], axis=0)
    assert np.abs(found - (X - STARTS) * mean).max() > 0.05


def test_rows_per_call_change_not_a_bit_of_rounding(lab):
    few, many = (
        lab.numpy(
            Guided(lab.mlp(NETWORK), backend=lab.name, moves=20, batch_size=size).explain(
                lab.tensor(X), TARGETS
            )
        )
        for size in (3, 64)
    )
    assert_close(few, many, 1e-6)


def test_more_moves_leave_a_smaller_gap(lab):
    with lab.double():
        x = lab.tensor(X, "float64")
        gaps = []
        for moves in (10, 100):
            method = Guided(lab.mlp(NETWORK), backend=lab.name, moves=moves, batch_size=64)
            gaps.append(np.abs(method.attribute(x, TARGETS).completeness_gap).max())
        assert gaps[1] < gaps[0] / 4
        assert gaps[1] < 0.05 * np.abs(rise(0 * X)).max()


def body(ops, x):
    return ops.sum(ops.tanh(x) * x)


@pytest.mark.parametrize("batch_size", [3, None])
def test_samples_share_calls_and_nothing_is_traced_again(lab, batch_size):
    model, counter = lab.counting(body)
    method = Guided(model, backend=lab.name, batch_size=batch_size)
    method.explain(lab.tensor(X))
    counter.reset()
    method.explain(lab.tensor(X[::-1].copy()))
    # 9 points one after the other: in one call for all 7 samples, or in 3.
    assert (counter.calls, counter.largest) == ((27, 3) if batch_size else (9, 7))
    assert counter.bodies == (0 if lab.compiled else counter.calls)


def test_a_sample_alone_goes_the_same_way(lab):
    with lab.double():
        method = Guided(lab.mlp(NETWORK), backend=lab.name, batch_size=3)
        together = lab.numpy(method.explain(lab.tensor(X, "float64"), TARGETS))
        for i in range(3):
            alone = method.explain(lab.tensor(X[i : i + 1], "float64"), int(TARGETS[i]))
            assert_close(lab.numpy(alone)[0], together[i], 1e-10)


@pytest.mark.parametrize("batch_size", [3, 64])
def test_finished_samples_do_not_change(lab, batch_size):
    """Samples that leave keep what they had; the others go on as if nobody had left."""
    points, whole = guided_by_hand(gradient, X, STARTS, 8)
    early = guided_by_hand(gradient, X, STARTS, 8, until=3)[1]
    scores = NETWORK.outputs(points[3])[np.arange(7), TARGETS]
    least = float(np.median(scores))
    with lab.double():
        method = Impatient(
            lab.mlp(NETWORK), backend=lab.name, few=3, least=least, batch_size=batch_size
        )
        x = lab.tensor(X, "float64")
        result = method.attribute(x, TARGETS, baselines=STARTS)
        # The median itself may fall to either side in rounding.
        stay = result.evaluations == 9
        assert (stay == (scores >= least))[scores != least].all()
        assert 0 < stay.sum() < 7
        assert (result.evaluations == np.where(stay, 9, 4)).all()
        expected = np.where(stay[:, None], whole, early)
        assert_close(lab.numpy(result.values), expected, 1e-10)


def test_several_inputs_take_one_decision(lab):
    """The mean gradient is that of all inputs: cutting the sample in two changes nothing."""

    def joined(ops, left, right):
        x = ops.concat([left, right])
        for i, (weight, bias) in enumerate(NETWORK.layers):
            x = ops.matmul(x, ops.like(weight, x)) + ops.like(bias, x)
            x = x if i else ops.tanh(x)
        return x

    with lab.double():
        inputs = tuple(lab.tensor(part, "float64") for part in (X[:, :2], X[:, 2:]))
        method = Guided(lab.function(joined), backend=lab.name, batch_size=3)
        parts = [lab.numpy(part) for part in method.explain(inputs, TARGETS)]
        assert_close(np.concatenate(parts, 1), guided_by_hand(gradient, X, 0 * X, 8)[1], 1e-10)


def test_it_can_be_smoothed(lab):
    guided = Guided(lab.mlp(NETWORK), backend=lab.name)
    method = polyattr.VarGrad(of=guided, nb_samples=4, noise=0.5, seed=5, batch_size=3)
    with lab.double():
        result = method.attribute(lab.tensor(X, "float64"), TARGETS)
        maps = [
            guided_by_hand(gradient, X + 0.5 * portable_noise(5, k, 0, (6,)), 0 * X, 8)[1]
            for k in range(4)
        ]
        assert_close(lab.numpy(result.values), np.var(maps, axis=0, ddof=1), 1e-6)
        assert (result.evaluations == 36).all()


def test_it_answers_as_every_method_does(lab):
    method = Guided(lab.mlp(NETWORK), moves=4, backend=lab.name)
    assert repr(method).startswith("Guided(moves=4, baseline_value=0.0")
    with pytest.raises(polyattr.InputTypeError, match=r"Guided has no argument 'move'.*moves"):
        Guided(lab.mlp(NETWORK), move=4)
    with pytest.raises(polyattr.InputError, match="names no paper"):
        Guided.citation()
