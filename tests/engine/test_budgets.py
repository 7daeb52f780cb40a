"""A budget of time: which rounds there is time for, what is stated, and the same answer again."""

import types
from dataclasses import replace

import numpy as np
import pytest

import polyattr
from polyattr.engine.plan import pace
from polyattr.explainer import call

RNG = np.random.default_rng(1650)
X = RNG.standard_normal((6, 5)).astype(np.float32)
W = RNG.standard_normal((5, 9)) / 2
BACKGROUND = RNG.standard_normal((40, 5)).astype(np.float32)


def smooth(ops, x):
    return ops.sum(ops.tanh(ops.matmul(x, ops.like(9 * W, x)) + 0.3) * x[:, :1])


def kinked(ops, x):
    return ops.sum(ops.relu(ops.matmul(x, ops.like(W, x)) + 0.3) * x[:, :1])


@pytest.fixture
def ticks(monkeypatch):
    """A clock that is a millisecond further each time somebody looks at it."""
    times = iter(range(10**6))
    clock = types.SimpleNamespace(perf_counter=lambda: next(times) / 1000)
    monkeypatch.setattr(pace, "time", clock)
    monkeypatch.setattr(call, "time", clock)


def path(lab, body, **settings):
    given = {"steps": "auto", "tolerance": 1e-15, "max_steps": 70, **settings}
    return polyattr.IntegratedGradients(lab.function(body), backend=lab.name, **given)


def timed(lab, method):
    """The result of a method that compiles nothing any more: that is no part of a round's time."""
    method.warm(lab.tensor(X))
    return method.attribute(lab.tensor(X))


@pytest.mark.parametrize(
    ("budget", "points"), [(0.001, 9), (3.5, 9), (4.5, 17), (6.5, 17), (7.5, 33), (9.5, 65)]
)
def test_rounds_are_those_there_is_time_for(lab, budget, points, ticks):
    """A look begins a call, cuts it into blocks, begins a round and ends it.

    The second round, of fewer rows, is taken to last as long as the first; those after it, of twice
    as many, twice as long.
    """
    found = timed(lab, path(lab, smooth, budget_ms=budget, batch_size=None))
    assert found.evaluations.tolist() == [points] * 6
    assert not found.converged.any()


@pytest.mark.parametrize(
    ("body", "budget", "settings"),
    [
        (smooth, 7.5, {}),
        (kinked, 9, {}),
        (kinked, 9, {"converge_on": "gap"}),
        (kinked, 9, {"batch_size": 7}),
    ],
)
def test_a_path_is_the_same_again_with_its_points(lab, ticks, body, budget, settings):
    hurried = timed(lab, path(lab, body, **settings, budget_ms=budget))
    assert not hurried.converged.any()
    assert max(hurried.evaluations) < 65
    for points in set(hurried.evaluations.tolist()):
        again = path(lab, body, **{**settings, "max_steps": points}).attribute(lab.tensor(X))
        same = hurried.evaluations == points
        check_same(lab, again, hurried, same)


DRAWN = {
    polyattr.SmoothGrad: {"noise": 0.7},
    polyattr.SquareGrad: {"noise": 0.7},
    polyattr.VarGrad: {"noise": 0.7},
    polyattr.ExpectedGradients: {"background": BACKGROUND},
}


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.__name__)
def test_draws_are_the_same_again(lab, ticks, kind):
    given = {"nb_samples": "auto", "tolerance": 1e-4, "batch_size": None, **DRAWN[kind]}
    given |= {"backend": lab.name, "max_samples": 256}
    model, seen = lab.function(kinked), set()
    for budget in (2, 6.2):
        hurried = timed(lab, kind(model, **given, budget_ms=budget))
        assert (hurried.error > 1e-4).all()
        (draws,) = set(hurried.evaluations.tolist())
        again = kind(model, **{**given, "max_samples": draws}).attribute(lab.tensor(X))
        check_same(lab, again, hurried, np.ones(6, dtype=bool))
        seen.add(draws)
    assert min(seen) == 32
    assert max(seen) == 128


def check_same(lab, again, hurried, which):
    assert which.any()
    np.testing.assert_array_equal(again.evaluations[which], hurried.evaluations[which])
    values = [lab.numpy(one.values)[which] for one in (again, hurried)]
    np.testing.assert_allclose(*values, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(again.error[which], hurried.error[which], rtol=1e-3)


def test_blocks_share_the_time(lab, ticks):
    """Blocks of 8, 8 and 4 samples: the later ones are not left with nothing."""
    x = lab.tensor(np.tile(X, (4, 1))[:20])
    method = path(lab, smooth, budget_ms=18, batch_size=2)
    method.warm(x)
    found = method.attribute(x).evaluations.tolist()
    assert [len(set(found[block])) for block in (slice(8), slice(8, 16), slice(16, 20))] == [1] * 3
    assert min(found) >= 17
    assert max(found) < 65


def test_every_batch_has_the_whole_budget(lab, ticks):
    method = path(lab, smooth, budget_ms=8, batch_size=None)
    method.warm(lab.tensor(X))
    batches = ([lab.tensor(X)] for _ in range(3))
    points = [found.evaluations.tolist() for found in method.attribute_batches(batches)]
    assert points == [[33] * 6] * 3


def test_enough_time_changes_nothing_and_too_little_leaves_the_first_round(lab):
    x = lab.tensor(X)
    free = path(lab, kinked, tolerance=0.01).attribute(x)
    rich = path(lab, kinked, tolerance=0.01, budget_ms=1e7).attribute(x)
    np.testing.assert_array_equal(lab.numpy(rich.values), lab.numpy(free.values))
    assert rich.converged.all()
    poor = path(lab, kinked, budget_ms=1e-6)
    assert poor.attribute(x).evaluations.tolist() == [9] * 6
    with pytest.warns(polyattr.ConvergenceWarning, match="raise budget_ms, or raise max_steps"):
        poor.explain(x)


def test_a_warm_method_has_all_its_rounds_compiled(lab):
    x = lab.tensor(X)
    method = path(lab, kinked, budget_ms=1e-6, max_steps=40)
    method.warm(x)
    made = method._calls._bound.kernels.made
    object.__setattr__(method._calls, "method", replace(method._calls.method, budget_ms=1e7))
    assert max(method.attribute(x).evaluations) == 40
    assert method._calls._bound.kernels.made == made


def test_what_was_hurried_is_refined(lab):
    x = lab.tensor(X)
    method = path(lab, kinked, tolerance=0.003, budget_ms=1e-6)
    hurried = method.attribute(x)
    assert not hurried.converged.any()
    found = method.refine(hurried, x)
    assert found.converged.all()
    free = path(lab, kinked, tolerance=0.003).attribute(x)
    np.testing.assert_allclose(lab.numpy(found.values), lab.numpy(free.values), atol=1e-6)


def test_wrong_budgets_are_told(lab):
    model = lab.function(smooth)
    auto, drawn = {"steps": "auto"}, {"nb_samples": "auto"}
    for make, said in (
        (lambda: polyattr.IntegratedGradients(model, budget_ms=5), "steps='auto' beside it"),
        (
            lambda: polyattr.IntegratedGradients(model, rule="exact", budget_ms=5),
            "how many gradients are taken is fixed",
        ),
        (lambda: polyattr.SmoothGrad(model, budget_ms=5), "nb_samples='auto' beside it"),
        (lambda: polyattr.SmoothHess(model, budget_ms=5), "nb_samples='auto' beside it"),
        (lambda: polyattr.IntegratedGradients(model, **auto, budget_ms=0), "budget_ms is 0"),
        (lambda: polyattr.VarGrad(model, **drawn, budget_ms=-1.0), "budget_ms is -1"),
        (lambda: polyattr.SmoothGrad(of=path(lab, smooth, budget_ms=5)), "the outer method"),
    ):
        with pytest.raises(polyattr.InputError, match=said):
            make()
    with pytest.raises(polyattr.InputTypeError, match="budget_ms is '5'"):
        polyattr.IntegratedGradients(model, **auto, budget_ms="5")
