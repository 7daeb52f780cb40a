"""The user's objects and the process come back as they were, also when a call fails."""

import gc
import random
import threading

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

X = np.random.default_rng(71).standard_normal((5, 3)).astype(np.float32)
METHODS = {
    "Saliency": {},
    "IntegratedGradients": {"steps": 5},
    "SmoothGrad": {"nb_samples": 5, "noise_source": "native"},
    "VarGrad": {"nb_samples": 5},
}


class GaveUpError(Exception):
    """What the user's model raises."""


class Fragile:
    """A model of scores whose Python code raises at its n-th execution."""

    def __init__(self, ops):
        self.ops, self.left = ops, 0

    def __call__(self, x):
        self.left -= 1
        if self.left == 0:
            raise GaveUpError("the model gave up")
        return self.ops.sum(x * x * x)


@pytest.fixture
def unchanged(lab):
    """Checks that settings and shared generators are as they would be without the test's calls."""
    lab.reseed(7)
    expected = lab.draw()
    lab.reseed(7)
    before = lab.settings()
    yield
    assert lab.settings() == before
    assert lab.draw() == expected


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.usefixtures("unchanged")
def test_settings_and_generators(lab, name):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = getattr(polyattr, name)(model, backend=lab.name, batch_size=7, **METHODS[name])
    native = lab.tensor(X)
    kept = X.copy()
    method.attribute(native)
    method.explain(X)
    assert (lab.numpy(native) == kept).all()
    assert (kept == X).all()


def _drawing(value):
    """Draws from both shared generators, one number of a pair of normals included."""
    random.random()
    np.random.standard_normal()
    return value


CALLS = {
    "the model": lambda ops: ({}, lambda x: _drawing(ops.sum(x * x)), {}),
    "the operator": lambda ops: (
        {"operator": lambda model, x, t: _drawing(model(x))},
        lambda x: ops.sum(x * x),
        {},
    ),
    "the baseline": lambda ops: (
        {},
        lambda x: ops.sum(x * x),
        {"baselines": lambda x: _drawing(x * 0)},
    ),
}


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.usefixtures("unchanged")
def test_random_numbers_drawn_by_the_users_code(lab, what):
    """Whoever seeds an experiment gets the same numbers with an explanation in between."""
    settings, model, options = CALLS[what](lab.ops)
    method = polyattr.IntegratedGradients(
        model, backend=lab.name, rule="midpoint", steps=4, **settings
    )
    for x in (X, X[:2], X, 2 * X, X[:, :2]):  # new shapes are traced again, others are known
        assert_close(lab.numpy(method.explain(lab.tensor(x), **options)), x * x)
        assert_close(np.array(method.attribute(lab.tensor(x), **options)), x * x)
    if what != "the baseline":
        method.function(lab.tensor(X))


@pytest.mark.usefixtures("unchanged")
def test_random_numbers_drawn_by_a_later_question(lab):
    """Other calls with such inputs drew nothing."""
    model = lab.function(lambda ops, x: x * x)
    method = polyattr.IntegratedGradients(model, backend=lab.name, rule="midpoint", steps=4)
    expected = X * X * [1.0, 0.0, 0.0]
    for _ in range(2):
        method.explain(lab.tensor(X), 0)
        found = method.explain(lab.tensor(X), 0, baselines=lambda x: _drawing(x * 0))
        assert_close(lab.numpy(found), expected)
        assert_close(
            lab.numpy(method.explain(lab.tensor(X), lambda z: _drawing(z[:, 0]))), expected
        )


@pytest.mark.usefixtures("unchanged")
def test_random_numbers_drawn_by_a_model_that_raises(lab):
    def model(x):
        _drawing(x)
        raise GaveUpError("the model gave up")

    with pytest.raises(GaveUpError):
        polyattr.Saliency(model, backend=lab.name).explain(lab.tensor(X))


def test_a_dataset_goes_on_drawing(lab):
    """The state is that of before the call, not of before the dataset."""
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = polyattr.GradientInput(model, backend=lab.name)

    def batches():
        for _ in range(3):
            yield lab.tensor(np.random.standard_normal((2, 3)).astype(np.float32))

    np.random.seed(3)
    expected = [np.random.standard_normal((2, 3)).astype(np.float32) for _ in range(3)]
    np.random.seed(3)
    found = lab.numpy(method.explain(batches()))
    assert_close(found, 2 * np.concatenate(expected) ** 2)


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.usefixtures("unchanged")
def test_a_model_that_raises(lab, nth):
    model = Fragile(lab.ops)
    method = polyattr.IntegratedGradients(model, backend=lab.name, batch_size=7, steps=5)

    # Compiled models run Python while traced: batches of new sizes bring them to it again.
    def batches():
        for size in (5, 2, 3, 1):
            yield lab.tensor(X[:size])

    model.left = nth
    with pytest.raises(GaveUpError, match="the model gave up"):
        method.explain(batches())
    model.left = 0
    found = method.explain(lab.tensor(X))
    # The trapezoid rule with 4 intervals integrates 3 t^2 to 1 + 1/32.
    assert_close(lab.numpy(found), X**3 * (1 + 1 / 32))


@pytest.mark.usefixtures("unchanged")
def test_noise_drawn_ahead_ends_with_the_call(lab):
    model = Fragile(lab.ops)
    method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=40, batch_size=10)
    method.explain(lab.tensor(X))
    before = threading.active_count()
    model.left = 1 if lab.compiled else 3
    with pytest.raises(GaveUpError):
        method.explain(lab.tensor(X[:3]))  # another shape: compiled models are traced again
    gc.collect()
    assert threading.active_count() <= before


@pytest.mark.usefixtures("unchanged")
def test_a_dataset_that_raises(lab):
    model = lab.function(lambda ops, x: ops.sum(x * x))
    method = polyattr.SmoothGrad(model, backend=lab.name, nb_samples=4, noise=0.0)

    def batches():
        yield lab.tensor(X)
        raise GaveUpError("the disk gave up")

    with pytest.raises(GaveUpError, match="the disk gave up"):
        method.attribute(batches())
    assert_close(lab.numpy(method.explain(lab.tensor(X))), 2 * X)


# So few points leave the map off, which `explain` says.
@pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")
@pytest.mark.usefixtures("unchanged")
def test_a_refused_question(lab):
    model = lab.function(lambda ops, x: ops.sum(ops.sqrt(x)))
    method = polyattr.IntegratedGradients(
        model, backend=lab.name, steps=4, baseline_value=1.0, batch_size=3
    )
    with pytest.raises(polyattr.NonFiniteGradientError):
        method.explain(lab.tensor(np.array([[4.0], [-1.0], [9.0]])))
    found = lab.numpy(method.explain(lab.tensor(np.array([[4.0], [4.0], [4.0]]))))
    nodes = np.array([1.01, 2.0, 3.0, 4.0])  # the start is taken from inside
    expected = 3 * (0.5 / np.sqrt(nodes)) @ np.array([1, 2, 2, 1]) / 6
    assert_close(found, np.full((3, 1), expected))


def test_results_do_not_share_memory_with_the_inputs(lab):
    x = X.copy()
    model = lab.function(lambda ops, t: ops.sum(t * t))
    result = polyattr.GradientInput(model, backend=lab.name).attribute(x)
    before = np.array(result)
    x[:] = 100.0
    assert (np.array(result) == before).all()
