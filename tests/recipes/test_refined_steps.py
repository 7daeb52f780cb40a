"""steps="auto": every sample takes as many points as its map needs, and says how exact it is."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr

SHARE = np.sqrt(2 / np.pi)
SMOOTH = random_network(1001, 4, 12, 3, activation="tanh")
KINKED = random_network(1003, 6, 48, 48, 3, activation="relu")
# Longer paths bend more often, so that samples of other lengths finish at other rounds.
LENGTHS = np.array([0.05, 6.0, 0.8, 2.0, 14.0, 0.3, 3.5])
X = single(np.random.default_rng(1002).standard_normal((7, 4))) * LENGTHS[:, None]
Z = single(np.random.default_rng(1004).standard_normal((12, 6)))
TARGETS, CLASSES = np.arange(7) % 3, np.arange(12) % 3


def integrated(lab, model=None, **arguments):
    model = lab.mlp(SMOOTH) if model is None else model
    return polyattr.IntegratedGradients(model, backend=lab.name, steps="auto", **arguments)


def truth(network, x, targets, count=20_000):
    """By so many midpoints, in NumPy: (N, F)."""
    alpha = ((np.arange(count) + 0.5) / count)[:, None]
    return np.stack(
        [
            (network.gradient(alpha * row, one_hot([target] * count, 3)) * row).mean(axis=0)
            for row, target in zip(x, targets, strict=True)
        ]
    )


EXACT = {"smooth": truth(SMOOTH, X, TARGETS), "kinked": truth(KINKED, Z, CLASSES)}


def asked(lab, kind, **arguments):
    network, x, targets = (SMOOTH, X, TARGETS) if kind == "smooth" else (KINKED, Z, CLASSES)
    result = integrated(lab, lab.mlp(network), **arguments).attribute(
        lab.tensor(x, "float64"), targets
    )
    away = np.abs(lab.numpy(result.values) - EXACT[kind])
    return result, away, away.sum(axis=1) / np.abs(EXACT[kind]).sum(axis=1)


@pytest.mark.parametrize("kind", ["smooth", "kinked"])
@pytest.mark.parametrize("tolerance", [0.05, 0.01, 0.002])
def test_the_map_is_as_exact_as_asked_for(lab, kind, tolerance):
    with lab.double():
        result, away, true = asked(lab, kind, tolerance=tolerance)
        assert result.error.max() <= tolerance * (1 + 1e-6)
        assert result.converged.all()
        assert true.mean() <= tolerance
        assert (true <= 3 * tolerance).all()
        assert (result.bound >= true - 1e-9).mean() >= 0.95
        assert result.evaluations.min() >= 9
        # On smooth integrands what is stated may be far too much, and is never too little.
        assert result.error.mean() >= 0.8 * true.mean()
        if kind == "kinked":
            standard = lab.numpy(result.standard_error)
            assert (away <= standard).mean() >= 0.55
            if tolerance > 0.002:  # with one kink in an interval its place is all but known
                assert result.error.mean() <= 2.5 * true.mean()
                assert (away <= standard).mean() <= 0.9
            stated = SHARE * standard.sum(axis=1) / np.abs(lab.numpy(result.values)).sum(axis=1)
            gap = np.abs(result.completeness_gap)
            least = gap / np.abs(lab.numpy(result.values)).sum(axis=1)
            assert_close(result.error, np.maximum(stated, least), 1e-6)


def test_fewer_gradients_than_a_fixed_rule(lab):
    """On kinks at equal error, and by far where it is smooth."""
    with lab.double():
        result, _, true = asked(lab, "kinked", tolerance=0.004)
        most = int(1.15 * result.evaluations.mean())
        fixed = [
            polyattr.IntegratedGradients(lab.mlp(KINKED), backend=lab.name, rule=rule, steps=most)
            for rule in ("trapezoid", "midpoint", "gauss-legendre")
        ]
        errors = [
            np.abs(lab.numpy(method.explain(lab.tensor(Z, "float64"), CLASSES)) - EXACT["kinked"])
            for method in fixed
        ]
        size = np.abs(EXACT["kinked"]).sum(axis=1)
        assert np.median(true) < min(np.median(e.sum(axis=1) / size) for e in errors)
        smooth, _, true = asked(lab, "smooth", tolerance=1e-6)
        assert true.max() <= 1e-6
        assert smooth.evaluations.max() <= 129


def test_each_sample_takes_what_it_needs(lab):
    with lab.double():
        coarse = asked(lab, "kinked", tolerance=0.1)[0].evaluations
        fine = asked(lab, "kinked", tolerance=0.001)[0].evaluations
        assert (fine >= coarse).all()
        assert fine.mean() > 3 * coarse.mean()
        assert len(set(fine.tolist())) >= 4


def test_the_gap_belongs_to_the_map(lab):
    with lab.double():
        result = integrated(lab).attribute(lab.tensor(X, "float64"), TARGETS)
        rows = np.arange(7)
        rise = SMOOTH.outputs(X)[rows, TARGETS] - SMOOTH.outputs(X * 0)[rows, TARGETS]
        gap = lab.numpy(result.values).sum(axis=1) - rise
        assert np.abs(result.completeness_gap - gap).max() <= 1e-8
        assert_close(result.scores, SMOOTH.outputs(X)[rows, TARGETS], 1e-10)
        assert_close(result.baseline_scores, SMOOTH.outputs(X * 0)[rows, TARGETS], 1e-10)


@pytest.mark.parametrize("kind", ["smooth", "kinked"])
def test_converging_on_the_gap_takes_few_points(lab, kind):
    with lab.double():
        result, _, true = asked(lab, kind, tolerance=0.01, converge_on="gap")
        moved = np.abs(result.scores - result.baseline_scores)
        assert (np.abs(result.completeness_gap) <= 0.0101 * moved + 1e-6).all()
        assert result.evaluations.mean() <= 12
        # Of the features less is known, and said.
        assert result.error.mean() >= 0.7 * true.mean()


@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_rows_per_call_change_nothing(lab, batch_size):
    with lab.double():
        x = lab.tensor(Z[:5], "float64")
        model = lab.mlp(KINKED)
        whole = integrated(lab, model, batch_size=None).attribute(x, CLASSES[:5])
        parts = integrated(lab, model, batch_size=batch_size).attribute(x, CLASSES[:5])
        assert_close(lab.numpy(parts.values), lab.numpy(whole.values), 1e-10)
        assert (parts.evaluations == whole.evaluations).all()
        assert_close(parts.error, whole.error, 1e-7)
        assert_close(parts.bound, whole.bound, 1e-7)
        assert np.abs(parts.completeness_gap - whole.completeness_gap).max() <= 1e-8


def test_company_changes_nothing(lab):
    with lab.double():
        method = integrated(lab, lab.mlp(KINKED), batch_size=5)
        together = method.attribute(lab.tensor(Z, "float64"), CLASSES)
        for i in (0, 5, 11):
            alone = method.attribute(lab.tensor(Z[i : i + 1], "float64"), int(CLASSES[i]))
            assert_close(lab.numpy(alone.values)[0], lab.numpy(together.values)[i], 1e-10)
            assert alone.evaluations[0] == together.evaluations[i]
            assert alone.error[0] == pytest.approx(together.error[i], rel=1e-7)


def wave(ops, x):
    return ops.sum(ops.relu(x * 2.0 - 0.3) * x)


@pytest.mark.parametrize("batch_size", [3, None])
def test_no_call_is_larger_and_nothing_is_traced_again(lab, batch_size):
    model, counter = lab.counting(wave)
    method = integrated(lab, model, batch_size=batch_size, tolerance=1e-3)
    method.attribute(lab.tensor(X))
    counter.reset()
    second = method.attribute(lab.tensor(X * 0.9))
    assert len(set(second.evaluations.tolist())) >= 2
    if batch_size is not None:
        assert counter.largest <= batch_size
    assert counter.bodies == (0 if lab.compiled else counter.calls)


def test_samples_that_may_take_no_more_points_are_named(lab):
    with lab.double():
        x = lab.tensor(Z, "float64")
        free = integrated(lab, lab.mlp(KINKED), tolerance=3e-3).attribute(x, CLASSES)
        method = integrated(lab, lab.mlp(KINKED), tolerance=3e-3, max_steps=20)
        with pytest.warns(polyattr.ConvergenceWarning, match=r"tolerance=0\.003.*max_steps"):
            result = method.attribute(x, CLASSES)
        assert result.evaluations.max() <= 20
        assert not result.converged[free.evaluations > 30].any()
        with pytest.warns(polyattr.ConvergenceWarning, match="raise max_steps"):
            method.explain(x, CLASSES)


def pair(ops, left, right):
    return ops.sum(ops.relu(left * right * 2.0) + ops.tanh(left * 3.0 - right))


def test_several_inputs_move_together(lab):
    with lab.double():
        left, right = X[:, :2], X[:, 2:] * 0.5
        inputs = (lab.tensor(left, "float64"), lab.tensor(right, "float64"))
        model = lab.function(pair)
        method = integrated(lab, model, tolerance=1e-3, batch_size=5)
        found = method.attribute(inputs)
        dense = polyattr.IntegratedGradients(model, backend=lab.name, steps=4001).explain(inputs)
        away = sum(
            np.abs(lab.numpy(a) - lab.numpy(b)).sum(axis=1)
            for a, b in zip(found.values, dense, strict=True)
        )
        size = sum(np.abs(lab.numpy(part)).sum(axis=1) for part in dense)
        assert (away <= 3e-3 * size).all()


def test_several_baselines_are_averaged(lab):
    with lab.double():
        x = lab.tensor(Z[:3], "float64")
        starts = np.stack([Z[:3] * 0, Z[:3] * 0.4, Z[3:6]], axis=1)
        method = integrated(lab, lab.mlp(KINKED), tolerance=2e-3)
        found = lab.numpy(method.explain(x, CLASSES[:3], baselines=starts))
        dense = polyattr.IntegratedGradients(lab.mlp(KINKED), backend=lab.name, steps=3001)
        wanted = lab.numpy(dense.explain(x, CLASSES[:3], baselines=starts))
        away = np.abs(found - wanted).sum(axis=1) / np.abs(wanted).sum(axis=1)
        assert (away <= 6e-3).all()


def test_a_linear_model_takes_the_fewest_points(lab):
    result = integrated(lab, lab.function(lambda ops, x: ops.sum(x * 2.0))).attribute(lab.tensor(X))
    assert (result.evaluations == 9).all()
    assert result.error.max() <= 1e-6
    zero = integrated(lab, lab.function(lambda ops, x: ops.sum(x * 0.0 + x * x * 0.0)))
    assert zero.attribute(lab.tensor(X)).error.tolist() == [0.0] * 7


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"rule": "simpson"}, "leave rule out"),
        ({"converge_on": "maps"}, "'map' or 'gap'"),
        ({"max_steps": 8}, "max_steps"),
    ],
)
def test_what_does_not_go_with_auto(lab, arguments, said):
    with pytest.raises(polyattr.PolyattrError, match=said):
        integrated(lab, **arguments)
