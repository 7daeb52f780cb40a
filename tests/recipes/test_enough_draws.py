"""nb_samples="auto": every sample takes as many draws as its own map needs."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.sampling.noise import portable_noise

NETWORK = random_network(1101, 4, 16, 3, activation="tanh")
# Near the origin tanh bends little, far out not at all: samples need different numbers of draws.
LENGTHS = np.array([0.05, 6.0, 0.8, 2.0, 14.0, 0.3, 3.5])
X = single(np.random.default_rng(1102).standard_normal((7, 4))) * LENGTHS[:, None]
TARGETS = np.arange(7) % 3
BACKGROUND = single(np.random.default_rng(1103).standard_normal((40, 4)))
NOISE, SEED = 0.3, 5
NOISY = ("SmoothGrad", "SquareGrad", "VarGrad")
TOLERANCE = {"SmoothGrad": 0.02, "SquareGrad": 0.05, "VarGrad": 0.12, "ExpectedGradients": 0.15}


def method_of(lab, name, model=None, **arguments):
    model = lab.mlp(NETWORK) if model is None else model
    own = {"background": BACKGROUND} if name == "ExpectedGradients" else {"noise": NOISE}
    settings = {"nb_samples": "auto", "tolerance": TOLERANCE[name], "seed": SEED, **own}
    return getattr(polyattr, name)(model, backend=lab.name, **settings | arguments)


def gradients(sample, count, antithetic):
    """The gradient at the first copies of a sample."""
    weights = one_hot([TARGETS[sample]], 3)
    found = []
    for number in range(count):
        draw, sign = (number // 2, (-1) ** number) if antithetic else (number, 1)
        step = sign * NOISE * portable_noise(SEED, draw, 0, (4,)).astype(np.float64)
        found.append(NETWORK.gradient(X[sample : sample + 1] + step, weights)[0])
    return np.stack(found)


def statistic(name, rows):
    """What the method makes of gradients (P, ...)."""
    if name == "VarGrad":
        return rows.var(axis=0, ddof=1)
    return (rows**2 if name == "SquareGrad" else rows).mean(axis=0)


def relative(error, values):
    return np.sqrt(2 / np.pi) * error.sum(axis=-1) / np.abs(values).sum(axis=-1)


@pytest.mark.parametrize("name", NOISY)
def test_every_sample_is_the_statistic_of_its_own_draws(lab, name):
    with lab.double():
        result = method_of(lab, name).attribute(lab.tensor(X, "float64"), TARGETS)
        values, stated = lab.numpy(result.values), lab.numpy(result.standard_error)
    assert len(set(result.evaluations.tolist())) >= 3
    assert result.evaluations.min() >= 32
    assert result.converged.all()
    assert (result.error <= TOLERANCE[name]).all()
    assert_close(result.error, relative(stated, values), 1e-10)
    for sample, count in enumerate(result.evaluations):
        rows = gradients(sample, count, antithetic=name == "SmoothGrad")
        assert_close(values[sample], statistic(name, rows), 1e-10)
        # The error is the spread of eight groups, which take turns.
        turns = np.arange(count) // (2 if name == "SmoothGrad" else 1) % 8
        groups = [statistic(name, rows[turns == g]) for g in range(8)]
        squares = ((np.stack(groups) - values[sample]) ** 2).sum(axis=0)
        assert_close(stated[sample], np.sqrt(squares / 56), 1e-9)


@pytest.mark.parametrize(
    ("name", "batch_size"), [("SmoothGrad", 64), ("VarGrad", 5), ("ExpectedGradients", 1)]
)
def test_rows_per_call_and_company_change_nothing(lab, name, batch_size):
    with lab.double():
        x = lab.tensor(X, "float64")
        whole = method_of(lab, name, batch_size=None).attribute(x, TARGETS)
        parts = method_of(lab, name, batch_size=batch_size)
        found, order = parts.attribute(x, TARGETS), [4, 1]
        some = parts.attribute(lab.tensor(X[order], "float64"), TARGETS[order])
    for name in ("values", "standard_error"):
        wanted = lab.numpy(getattr(whole, name))
        assert_close(lab.numpy(getattr(found, name)), wanted, 1e-9)
        assert_close(lab.numpy(getattr(some, name)), wanted[order], 1e-9)
    assert (found.evaluations == whole.evaluations).all()
    assert (some.evaluations == whole.evaluations[order]).all()


def test_the_map_is_that_of_many_draws(lab):
    x, name = lab.tensor(X), "ExpectedGradients"
    found = method_of(lab, name).attribute(x, TARGETS)
    many = method_of(lab, name, nb_samples=6000, tolerance=None).explain(x, TARGETS)
    away = np.abs(lab.numpy(found.values) - lab.numpy(many))
    assert (away <= 6 * lab.numpy(found.standard_error) + 1e-5).all()
    size = np.abs(lab.numpy(many)).sum(axis=1)
    assert (away.sum(axis=1) <= 3 * TOLERANCE[name] * size).all()


def test_one_background_row_is_integrated_gradients_from_there(lab):
    method = method_of(lab, "ExpectedGradients", background=BACKGROUND[:1], tolerance=0.01)
    found = method.attribute(lab.tensor(X), TARGETS)
    path = polyattr.IntegratedGradients(lab.mlp(NETWORK), backend=lab.name, steps=200)
    wanted = lab.numpy(path.explain(lab.tensor(X), TARGETS, baselines=BACKGROUND[0]))
    away = np.abs(lab.numpy(found.values) - wanted).sum(axis=1)
    assert (away <= 0.03 * np.abs(wanted).sum(axis=1)).all()
    assert found.completeness_gap is not None


def wave(ops, x):
    return ops.sum(ops.tanh(x * 2.0) * x)


@pytest.mark.parametrize("batch_size", [3, None])
def test_no_call_is_larger_and_nothing_is_traced_again(lab, batch_size):
    model, counter = lab.counting(wave)
    method = method_of(lab, "SmoothGrad", model, batch_size=batch_size, tolerance=0.02)
    first = method.attribute(lab.tensor(X * 0 + 9.0))
    assert (first.evaluations == 32).all()  # a single round
    counter.reset()
    second = method.attribute(lab.tensor(X))
    assert len(set(second.evaluations.tolist())) >= 3
    if batch_size is not None:
        assert counter.largest <= batch_size
    assert counter.bodies == (0 if lab.compiled else counter.calls)


@pytest.mark.parametrize("name", ["SmoothGrad"])
def test_samples_that_need_more_than_there_may_be(lab, name):
    x = lab.tensor(X)
    free = method_of(lab, name).attribute(x, TARGETS).evaluations
    method = method_of(lab, name, max_samples=60)  # of which whole groups, or pairs, are taken
    most = 48 if name == "SmoothGrad" else 56
    said = rf"^(\d) of 7 samples .*tolerance={TOLERANCE[name]:g}.*raise max_samples"
    with pytest.warns(polyattr.ConvergenceWarning, match=said) as told:
        result = method.attribute(x, TARGETS)
    assert len(told) == 1
    assert str(told[0].message)[0] == str((~result.converged).sum())
    assert (result.converged == (result.error <= TOLERANCE[name])).all()
    assert (result.evaluations == np.minimum(free, most)).all()
    with pytest.warns(polyattr.ConvergenceWarning, match=said) as told:
        method.explain(x, TARGETS)
    assert len(told) == 1


@pytest.mark.parametrize("name", ["ExpectedGradients"])
def test_a_number_of_draws_that_is_not_enough(lab, name):
    x = lab.tensor(X)
    method = method_of(lab, name, nb_samples=16, tolerance=1e-4)
    for call in (method.attribute, method.explain):
        with pytest.warns(polyattr.ConvergenceWarning, match="^7 of 7.*raise nb_samples") as told:
            call(x, TARGETS)
        assert len(told) == 1
    method_of(lab, name, nb_samples=16, tolerance=9.0).explain(x, TARGETS)  # no warning


def test_one_warning_for_a_whole_dataset(lab):
    batches = [(lab.tensor(X[i : i + 2]), TARGETS[i : i + 2]) for i in (0, 2, 4)]
    method = method_of(lab, "SmoothGrad", tolerance=1e-3, max_samples=32)
    with pytest.warns(polyattr.ConvergenceWarning, match="of 6 samples") as told:
        method.explain(iter(batches))
    assert len(told) == 1


def test_without_noise_one_round_is_enough(lab):
    for name in ("SmoothGrad", "VarGrad"):
        result = method_of(lab, name, noise=0.0).attribute(lab.tensor(X), TARGETS)
        assert (result.evaluations == 32).all()
        assert (result.error < 1e-6).all()  # sums of equal gradients are rounded


def test_maps_of_another_method(lab):
    inner = polyattr.IntegratedGradients(lab.mlp(NETWORK), backend=lab.name, steps=4)
    settings = {"noise": NOISE, "seed": SEED, "tolerance": 0.06, "batch_size": 7}
    found = polyattr.SmoothGrad(of=inner, nb_samples="auto", **settings)
    result = found.attribute(lab.tensor(X), TARGETS)
    assert len(set(result.evaluations.tolist())) > 1
    assert result.converged.all()
    count = result.evaluations.max()
    chosen = result.evaluations == count
    fixed = polyattr.SmoothGrad(of=inner, nb_samples=count // 4, **settings | {"tolerance": 9})
    values = lab.numpy(fixed.explain(lab.tensor(X), TARGETS))
    assert_close(lab.numpy(result.values)[chosen], values[chosen], 1e-5)


def test_the_same_draws_as_of_a_number(lab):
    x, native = lab.tensor(X), {"noise_source": "native"}
    auto = method_of(lab, "SmoothGrad", tolerance=9.0, **native)
    fixed = method_of(lab, "SmoothGrad", nb_samples=32, tolerance=None, **native)
    assert_close(lab.numpy(auto.explain(x, TARGETS)), lab.numpy(fixed.explain(x, TARGETS)), 1e-5)


@pytest.mark.parametrize("name", TOLERANCE)
@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"nb_samples": "all"}, "InputTypeError", "nb_samples is 'all'; expected an int, or"),
        ({"max_samples": 31}, "InputError", "max_samples is 31; expected at least 32"),
        ({"tolerance": -0.1}, "InputError", "tolerance is -0.1"),
        ({"max_samples": 0}, "InputError", "max_samples is 0"),
        ({"nb_samples": 0}, "InputError", "nb_samples is 0"),
    ],
)
def test_what_cannot_be_drawn(lab, name, arguments, error, said):
    with pytest.raises(getattr(polyattr, error), match=said):
        method_of(lab, name, **arguments)


def test_what_it_stopped_at_is_among_its_settings(lab):
    method = method_of(lab, "SmoothGrad", tolerance=None)
    assert "nb_samples='auto'" in repr(method)
    assert "tolerance=0.05" in repr(method)


def test_it_is_no_pure_function(lab):
    with pytest.raises(polyattr.InputError, match="chooses its points"):
        method_of(lab, "SmoothGrad").function(lab.tensor(X), TARGETS)
