"""How often the model runs, on how many rows, and how often it is traced."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.sampling import noise

X = np.random.default_rng(41).standard_normal((5, 3))
W = np.array([1.0, -2.0, 3.0])


def scores(ops, x):
    return ops.sum(x * x * x)


def classes(ops, x):
    return ops.tanh(ops.matmul(x, ops.like(np.outer(W, [1.0, -0.5]), x)))


def measured(lab, method, body, *args, attribute=False, **settings):
    """Counts the second call of an explainer: what the first one learns about a model stays."""
    model, counter = lab.counting(body)
    explainer = method(model, backend=lab.name, **settings)
    call = explainer.attribute if attribute else explainer.explain
    first = call(lab.tensor(X), *args)
    counter.reset()
    second = call(lab.tensor(X), *args)
    values = [lab.numpy(r.values if attribute else r) for r in (first, second)]
    assert (values[0] == values[1]).all()
    return counter


@pytest.mark.parametrize(
    ("batch_size", "calls", "rows"),
    [
        # 5 samples at 10 points are 50 rows.
        (None, 1, 50),
        (64, 1, 50),
        (50, 1, 50),
        (49, 2, 25),
        (17, 3, 17),
        (7, 8, 7),
        (5, 10, 5),
        (1, 50, 1),
    ],
)
def test_tiles_are_balanced_and_never_larger_than_batch_size(lab, batch_size, calls, rows):
    counter = measured(lab, polyattr.IntegratedGradients, scores, steps=10, batch_size=batch_size)
    assert (counter.calls, counter.largest, counter.rows) == (calls, rows, calls * rows)
    assert counter.rows - 50 <= counter.calls  # at most one padded row each


def test_an_automatic_batch_size_has_few_shapes_where_they_are_compiled(lab):
    """Blocks of 4 and of 1 sample, which calls of other numbers of samples have, too."""
    counter = measured(lab, polyattr.IntegratedGradients, scores, steps=10)
    expected = (2, 40, 50) if lab.compiled else (1, 50, 50)
    assert (counter.calls, counter.largest, counter.rows) == expected


@pytest.mark.parametrize("batch_size", [2, 3, 4])
def test_batch_size_is_honoured_below_the_number_of_samples(lab, batch_size):
    counter = measured(lab, polyattr.SmoothGrad, scores, nb_samples=10, batch_size=batch_size)
    assert counter.largest <= batch_size
    assert counter.rows >= 50


@pytest.mark.parametrize(
    ("method", "settings", "calls"),
    [
        (polyattr.Saliency, {"batch_size": 2}, 3),
        (polyattr.GradientInput, {"batch_size": 5}, 1),
        (polyattr.SquareGrad, {"batch_size": 10, "nb_samples": 6}, 3),
        (polyattr.VarGrad, {"batch_size": 10, "nb_samples": 6}, 3),
    ],
)
def test_other_methods(lab, method, settings, calls):
    counter = measured(lab, method, scores, **settings)
    assert counter.calls == calls
    assert counter.largest <= settings["batch_size"]


def test_scores_are_read_off_the_path_where_it_visits_the_input(lab):
    # f(b) always costs an evaluation: the path starts inside.
    for rule, extra in [("trapezoid", 1), ("midpoint", 2), ("right", 1)]:
        settings = {"steps": 4, "rule": rule, "batch_size": 64}
        counter = measured(lab, polyattr.IntegratedGradients, scores, attribute=True, **settings)
        assert counter.calls == 1 + extra


def test_finding_the_predicted_class_costs_one_evaluation(lab):
    for method, settings in [
        (polyattr.GradientInput, {}),
        (polyattr.SmoothGrad, {"nb_samples": 3}),
    ]:
        counter = measured(lab, method, classes, attribute=True, batch_size=15, **settings)
        assert counter.calls == 2  # f(x) is one of the outputs that were found


def test_another_question_of_the_same_shapes_traces_nothing(lab):
    model, counter = lab.counting(classes)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=6, batch_size=7)
    x = lab.tensor(X)
    method.attribute(x, [0, 1, 1, 0, 1])
    counter.reset()
    first = lab.numpy(method.explain(x, 0))
    second = lab.numpy(method.explain(lab.tensor(X * 2), np.ones(5, np.int32)))
    third = lab.numpy(method.attribute(x, 0, baselines=np.full(3, 0.5, np.float32)).values)
    assert counter.calls == 3 * 5 + 1  # f(b), for `attribute`
    assert counter.bodies == (0 if lab.compiled else 16)
    assert np.abs(first - second).max() > 0.1
    assert np.abs(first - third).max() > 0.1


def test_weights_as_targets_trace_once(lab):
    model, counter = lab.counting(classes)
    method = polyattr.GradientInput(model, backend=lab.name)
    x, weights = lab.tensor(X), np.random.default_rng(0).standard_normal((5, 2))
    first = lab.numpy(method.explain(x, weights))
    counter.reset()
    assert_close(lab.numpy(method.explain(x, weights * 3)), 3 * first)
    assert counter.bodies == (0 if lab.compiled else 1)


def test_noise_is_an_argument_of_the_kernel(lab):
    # A hundred draws in tiles of 10 rows: ten calls, one trace.
    counter = measured(lab, polyattr.SmoothGrad, scores, nb_samples=100, batch_size=10)
    assert counter.calls == 50
    assert counter.bodies == (0 if lab.compiled else 50)


@pytest.mark.parametrize("room", [None, 6 * 3, 0])
def test_shared_draws_are_made_once(lab, monkeypatch, room):
    """Twelve draws in pairs are six, for all samples, tiles and blocks, if there is room."""
    drawn, one = [], noise.portable_noise
    monkeypatch.setattr(noise, "portable_noise", lambda *args: drawn.append(args) or one(*args))
    if room is not None:
        monkeypatch.setattr(noise, "_MOST_KEPT", room)
    model, x = lab.function(scores), lab.tensor(np.tile(X, (8, 1)))
    found = []
    for size in (None, 5):
        drawn.clear()
        method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=12, batch_size=size)
        found.append(lab.numpy(method.explain(x)))
    assert_close(*found)
    assert (len(drawn) == 6) == (room != 0)


def test_the_next_call_draws_nothing(lab, monkeypatch):
    drawn, one = [], noise.portable_noise
    monkeypatch.setattr(noise, "portable_noise", lambda *args: drawn.append(args) or one(*args))
    model, settings = lab.function(scores), {"backend": lab.name, "nb_samples": 12}
    method = polyattr.SmoothGrad(model, **settings)
    for x, made in ((X, 6), (X * 2, 0), (X[:1], 0), (np.tile(X, (9, 1)), 0)):
        found = lab.numpy(method.explain(lab.tensor(x)))
        assert len(drawn) == made
        drawn.clear()
        wanted = lab.numpy(polyattr.SmoothGrad(model, **settings).explain(lab.tensor(x)))
        drawn.clear()
        np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("more", [{"seed": 1}, {"distribution": None}], ids=str)
def test_what_may_draw_otherwise_draws_anew(lab, monkeypatch, more):
    """Draws of another shape, and those of a function that may have changed."""
    scale = [1.0]
    if "distribution" in more:
        more = {"distribution": lambda generator, shape: scale[0] * np.ones(shape)}
    settings = {"backend": lab.name, "nb_samples": 2, "antithetic": False, "noise": 1.0, **more}
    method = polyattr.SmoothGrad(lab.function(scores), **settings)
    for width in (3, 2):
        for factor in (1.0, -0.5, 2.0):
            scale[0] = factor
            x = lab.tensor(X[:, :width])
            new = polyattr.SmoothGrad(lab.function(scores), **settings)
            assert_close(lab.numpy(method.explain(x)), lab.numpy(new.explain(x)))


def test_draws_of_inner_methods_are_made_once(lab, monkeypatch):
    drawn, one = [], noise.portable_noise
    monkeypatch.setattr(noise, "portable_noise", lambda *args: drawn.append(args) or one(*args))
    inner = polyattr.SmoothGrad(lab.function(scores), backend=lab.name, nb_samples=4)
    polyattr.SmoothGrad(of=inner, nb_samples=6, batch_size=5).explain(lab.tensor(X))
    assert len(drawn) == 2 + 3
