"""Several targets in one call: as separate calls, with the model evaluated once for all."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network

import polyattr
from polyattr import InputError, InputTypeError
from polyattr.testing.reference import METHODS, arguments

RNG = np.random.default_rng(171)
X = RNG.standard_normal((5, 3)).astype(np.float32)
W = RNG.standard_normal((3, 6))
NETWORK = random_network(172, 3, 8, 6, activation="tanh")
SIZES = [(0, 2), (2, 5)]
PER_SAMPLE = ("scores", "error", "evaluations", "converged", "targets")


def linear(ops, x):
    return ops.matmul(x, ops.like(W, x))


@pytest.fixture(scope="module")
def method(lab):
    """The gradient of class c by the inputs is column c of the weights."""
    return polyattr.GradientInput(lab.function(linear), backend=lab.name)


def expected(classes):
    return np.stack([X * W[:, c] for c in classes])


def assert_as_separate_calls(lab, method, x, targets, **options):
    together = method.attribute(x, polyattr.each(targets), **options)
    apart = [method.attribute(x, target, **options) for target in targets]
    assert_close(lab.numpy(together.values), [lab.numpy(one.values) for one in apart], 1e-6)
    for name in PER_SAMPLE:
        assert getattr(together, name).shape == (len(apart), len(apart[0].scores))
        wanted = np.stack([getattr(one, name) for one in apart])
        np.testing.assert_allclose(getattr(together, name), wanted, rtol=1e-4, atol=1e-6)
    for name in ("baseline_scores", "completeness_gap"):
        if getattr(together, name) is not None:
            wanted = np.stack([getattr(one, name) for one in apart])
            np.testing.assert_allclose(getattr(together, name), wanted, rtol=1e-4, atol=1e-6)
    if together.standard_error is not None:
        wanted = [lab.numpy(one.standard_error) for one in apart]
        assert_close(lab.numpy(together.standard_error), wanted, 1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_every_method(lab, name):
    make = getattr(polyattr, name)
    method = make(lab.mlp(NETWORK), backend=lab.name, batch_size=9, **arguments(name, X))
    assert_as_separate_calls(lab, method, lab.tensor(X), [4, 3])


def test_whatever_the_batch_size(lab):
    model, x, targets = lab.mlp(NETWORK), lab.tensor(X), (5, 1, 0, 2)
    one = polyattr.IntegratedGradients(model, backend=lab.name, steps=5)
    wanted = [lab.numpy(one(x, target)) for target in targets]
    for batch_size in (2, 7, None):
        method = polyattr.IntegratedGradients(
            model, backend=lab.name, steps=5, batch_size=batch_size
        )
        assert_close(lab.numpy(method.explain(x, polyattr.each(targets))), wanted, 1e-6)


def test_points_that_depend_on_the_target(lab):
    method = polyattr.IntegratedGradients(
        lab.mlp(NETWORK), backend=lab.name, steps="auto", tolerance=0.05, max_steps=64
    )
    assert_as_separate_calls(lab, method, lab.tensor(3 * X), [4, 0, 3])


def test_draws_of_each_sample_are_those_of_all_its_targets(lab):
    method = polyattr.SmoothGrad(
        lab.mlp(NETWORK), backend=lab.name, nb_samples=4, shared_draws=False
    )
    assert_as_separate_calls(lab, method, lab.tensor(X), [4, 3])


def test_a_method_inside_another(lab):
    inner = polyattr.IntegratedGradients(lab.mlp(NETWORK), backend=lab.name, steps=4)
    method = polyattr.SmoothGrad(of=inner, nb_samples=4, batch_size=8)
    assert_as_separate_calls(lab, method, lab.tensor(X), [4, 0, 3])


def test_baselines_of_samples_and_several_of_each(lab):
    method = polyattr.IntegratedGradients(lab.mlp(NETWORK), backend=lab.name, steps=4)
    x = lab.tensor(X)
    several = RNG.standard_normal((5, 3, 3)).astype(np.float32)
    assert_as_separate_calls(lab, method, x, [1, 2], baselines=lab.tensor(several))


def test_tasks(lab):
    method = polyattr.GradientInput(lab.mlp(NETWORK), backend=lab.name, operator="log_odds")
    assert_as_separate_calls(lab, method, lab.tensor(X), [1, 2])


def test_an_operator_of_the_user(lab):
    def operator(model, x, targets):
        return lab.ops.sum(model(x) * targets[:, None])

    method = polyattr.GradientInput(lab.function(linear), backend=lab.name, operator=operator)
    factors = RNG.standard_normal((2, 5)).astype(np.float32)
    assert_as_separate_calls(lab, method, lab.tensor(X), list(factors))


@pytest.mark.parametrize(
    "targets",
    [
        [3, 0],
        (3, 0),
        range(2),
        np.array([3, 0]),
        np.array([[0, 1, 2, 3, 4], [5, 4, 3, 2, 1]]),
        [0, [5, 4, 3, 2, 1]],
        RNG.standard_normal((2, 5, 6)),
    ],
    ids=["list", "tuple", "range", "array", "indices", "mixed", "weights"],
)
def test_what_may_be_listed(lab, method, targets):
    found = method.attribute(lab.tensor(X), polyattr.each(targets))
    for values, scores, target in zip(lab.numpy(found.values), found.scores, targets, strict=True):
        one = method.attribute(lab.tensor(X), target)
        assert_close(values, lab.numpy(one.values), 1e-6)
        assert_close(scores, one.scores, 1e-6)


def test_multi_indices(lab):
    model = lab.function(lambda ops, x: ops.reshape(linear(ops, x), 2, 3))
    method = polyattr.GradientInput(model, backend=lab.name)
    found = method.attribute(lab.tensor(X), polyattr.each([(0, 2), (1, 0), (1, 2)]))
    assert_close(lab.numpy(found.values), expected([2, 3, 5]))
    assert found.targets.tolist() == [[[0, 2]] * 5, [[1, 0]] * 5, [[1, 2]] * 5]


def test_as_many_samples_as_targets_is_no_list_of_indices(lab, method):
    targets = [5, 0, 3, 1, 2]
    found = method.explain(lab.tensor(X), polyattr.each(targets))
    assert_close(lab.numpy(found), expected(targets))
    one_each = lab.numpy(method.explain(lab.tensor(X), targets))
    assert_close(one_each, X * W[:, targets].T)


def test_several_inputs(lab):
    model = lab.function(lambda ops, a, b: linear(ops, a * b))
    method = polyattr.GradientInput(model, backend=lab.name)
    found = method.explain({"a": lab.tensor(X), "b": lab.tensor(X + 1)}, polyattr.each([2, 4]))
    for part in ("a", "b"):
        wanted = np.stack([X * (X + 1) * W[:, c] for c in (2, 4)])
        assert_close(lab.numpy(found[part]), wanted)


def test_a_layer(lab):
    network = lab.network(NETWORK, softmax=False)
    at_layer = polyattr.GradientInput(network, backend=lab.name, input_layer="dense0")
    values = lab.numpy(at_layer.explain(lab.tensor(X), polyattr.each([2, 4])))
    apart = [lab.numpy(at_layer.explain(lab.tensor(X), t)) for t in (2, 4)]
    assert_close(values, apart, 1e-6)


# -- how often the model runs ---------------------------------------------------------------------


def counted(lab, method, body, targets, attribute=False, **settings):
    model, counter = lab.counting(body)
    explainer = method(model, backend=lab.name, **settings)
    call = explainer.attribute if attribute else explainer.explain
    call(lab.tensor(X), targets)
    counter.reset()
    call(lab.tensor(X), targets)
    return counter


@pytest.mark.parametrize(
    ("batch_size", "calls", "rows"),
    [
        # 5 samples at 10 points are 50 rows, whatever they are asked; 4 targets make 200 of them.
        (200, 1, 50),
        (100, 2, 25),
        (4, 50, 1),
        # Fewer rows than targets: two targets at a time, as three are no divisor of four.
        (3, 100, 1),
    ],
)
def test_each_point_is_evaluated_once(lab, batch_size, calls, rows):
    counter = counted(
        lab,
        polyattr.IntegratedGradients,
        linear,
        polyattr.each([0, 2, 3, 5]),
        steps=10,
        batch_size=batch_size,
    )
    assert (counter.calls, counter.largest, counter.rows) == (calls, rows, calls * rows)


@pytest.mark.parametrize(
    ("method", "settings", "rows"),
    [
        (polyattr.SmoothGrad, {"nb_samples": 6}, 30),
        (polyattr.VarGrad, {"nb_samples": 6}, 30),
        (polyattr.ExpectedGradients, {"nb_samples": 6, "background": X}, 30),
    ],
)
def test_other_methods_evaluate_each_point_once(lab, method, settings, rows):
    every = polyattr.each(range(6))
    counter = counted(lab, method, linear, every, batch_size=6 * rows, **settings)
    assert (counter.calls, counter.rows) == (1, rows)


def test_both_ends_of_the_path_are_evaluated_once(lab):
    # f(b), and f(x), which the rule does not visit.
    several, method = polyattr.each(range(6)), polyattr.IntegratedGradients
    settings = {"steps": 4, "rule": "midpoint", "batch_size": 120}
    counter = counted(lab, method, linear, several, attribute=True, **settings)
    assert (counter.calls, counter.rows) == (1 + 2, 20 + 2 * 5)


def test_a_method_inside_another_evaluates_each_point_once(lab):
    model, counter = lab.counting(linear)
    inner = polyattr.IntegratedGradients(model, backend=lab.name, steps=4)
    method = polyattr.SmoothGrad(of=inner, nb_samples=3)
    method.explain(lab.tensor(X), polyattr.each([0, 4]))
    counter.reset()
    method.explain(lab.tensor(X), polyattr.each([0, 4]))
    assert counter.rows == 5 * 3 * 4


def test_another_choice_of_as_many_classes_traces_nothing(lab):
    model, counter = lab.counting(linear)
    method = polyattr.GradientInput(model, backend=lab.name)
    method.explain(lab.tensor(X), polyattr.each([0, 4]))
    counter.reset()
    found = method.explain(lab.tensor(X), polyattr.each([3, 1]))
    assert_close(lab.numpy(found), expected([3, 1]))
    assert counter.bodies == (0 if lab.compiled else 1)


# -- datasets, files, pictures --------------------------------------------------------------------


def test_datasets(lab, method):
    batches = [(X[a:b], np.zeros(b - a, int)) for a, b in SIZES]
    found = method.explain(batches, polyattr.each([3, 1]))
    assert lab.is_native(found)
    assert_close(lab.numpy(found), expected([3, 1]))
    result = method.attribute(iter(batches), polyattr.each([3, 1]))
    assert_close(lab.numpy(result.values), expected([3, 1]))
    assert_close(result.scores, (X @ W)[:, [3, 1]].T)
    assert result.targets.tolist() == [[3] * 5, [1] * 5]
    shapes = [r.scores.shape for r in method.attribute_batches(batches, polyattr.each([3, 1]))]
    assert shapes == [(2, 2), (2, 3)]


def test_a_dataset_takes_targets_that_hold_for_all_of_it(method):
    with pytest.raises(InputError, match="inputs are a dataset"):
        method.explain([(X[:2], None), (X[2:], None)], polyattr.each([[0, 1], [1, 0]]))


def test_files(lab, tmp_path):
    method = polyattr.IntegratedGradients(lab.mlp(NETWORK), backend=lab.name, steps=4)
    result = method.attribute(lab.tensor(X), polyattr.each([4, 1]))
    result.save(tmp_path / "several.npz")
    read = polyattr.load(tmp_path / "several.npz")
    assert (read.values == lab.numpy(result.values)).all()
    assert (read.scores == result.scores).all()
    assert read.targets.tolist() == result.targets.tolist()
    assert "5 samples at 2 targets" in repr(read)


# -- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize("wrong", [3, None, "dog", {"a": 1}, {1, 2}, np.array(3)], ids=repr)
def test_each_takes_a_list(wrong):
    with pytest.raises(InputTypeError, match=r"expected one list of targets, as in each\("):
        polyattr.each(wrong)


def test_each_takes_targets():
    with pytest.raises(InputError, match="no targets"):
        polyattr.each([])
    with pytest.raises(InputTypeError, match="None as a target"):
        polyattr.each([1, None])
    with pytest.raises(InputTypeError, match=r"each\(\[1, 2\]\) as a target"):
        polyattr.each([polyattr.each([1, 2])])


def test_a_class_there_is_not(lab, method):
    with pytest.raises(InputError, match="target 6 is out of range"):
        method.explain(lab.tensor(X), polyattr.each([1, 6]))


def test_targets_of_different_kinds(lab, method):
    with pytest.raises(InputError, match="targets of different kinds"):
        method.explain(lab.tensor(X), polyattr.each([1, np.ones((5, 6))]))


def test_a_gradient_that_is_not_finite_is_named_by_its_sample(lab):
    model = lab.function(lambda ops, x: linear(ops, ops.sqrt(x)))
    x = np.abs(X)
    x[3, 1] = 0.0
    method = polyattr.GradientInput(model, backend=lab.name)
    with pytest.raises(polyattr.NonFiniteGradientError, match=r"sample 3 .*\(1 of 5 samples"):
        method.explain(lab.tensor(x), polyattr.each([1, 2]))


def test_a_pure_function_has_one_target(lab, method):
    with pytest.raises(InputError, match="expected one function for each of them"):
        method.function(lab.tensor(X), polyattr.each([1, 2]))
