"""IDGI and Integrated Decision Gradients: weights that follow how the score goes."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr.testing.path_references import decisions, important_directions
from polyattr.testing.scored import Scored

NETWORK = random_network(2011, 6, 12, 3, activation="tanh")
RNG = np.random.default_rng(2012)
X, STARTS = single(RNG.standard_normal((5, 6))), single(RNG.standard_normal((5, 6)))
TARGETS = np.array([0, 2, 1, 1, 0])
ROWS, W = np.arange(5), np.array([1.5, -2.0, 0.25, 0.0, 1.0, -0.5])
KINDS = {"IDGI": important_directions, "IntegratedDecisionGradients": decisions}
MODEL = Scored(
    lambda points: NETWORK.outputs(points)[ROWS, TARGETS],
    lambda points: NETWORK.gradient(points, one_hot(TARGETS, 3)),
)

# Few points leave maps off, as `explain` says of these.
pytestmark = pytest.mark.filterwarnings("ignore::polyattr.ConvergenceWarning")


def made(lab, name, model=None, **settings):
    model = lab.mlp(NETWORK) if model is None else model
    return getattr(polyattr, name)(model, backend=lab.name, **settings)


@pytest.mark.parametrize("steps", [3, 8, 13])
@pytest.mark.parametrize("name", KINDS)
def test_the_equation_in_numpy(lab, name, steps):
    expected = KINDS[name](MODEL, X, 0.5, steps)
    with lab.double():
        method = made(lab, name, steps=steps, baseline_value=0.5, batch_size=7)
        result = method.attribute(lab.tensor(X, "float64"), TARGETS)
    assert_close(lab.numpy(result.values), expected, 1e-12)
    assert (result.evaluations == steps).all()
    assert_close(result.scores, MODEL.score(X), 1e-12)
    assert_close(result.baseline_scores, MODEL.score(np.full_like(X, 0.5)), 1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_a_linear_model_in_closed_form(lab, name):
    model = lab.function(lambda ops, x: ops.sum(x * ops.like(W, x)) + 3.0)
    rise = ((X - STARTS) @ W)[:, None]
    shares = W**2 / (W**2).sum() if name == "IDGI" else W * (X - STARTS)
    with lab.double():
        x = lab.tensor(X, "float64")
        for steps in (3, 10):
            result = made(lab, name, model, steps=steps).attribute(x, baselines=STARTS)
            assert_close(lab.numpy(result.values), shares * rise, 1e-12)
            assert result.error.max() <= 1e-12


def test_scores_are_looked_at_without_gradients(lab):
    """Of 9 points 9 scores first, and then 9 gradients, whatever they are called."""
    model, counter = lab.counting(lambda ops, x: ops.sum(ops.tanh(x) * x))
    method = made(lab, "IDGI", model, steps=9, batch_size=None)
    method.explain(lab.tensor(X))
    counter.reset()
    method.explain(lab.tensor(X))
    assert (counter.calls, counter.largest) == (2, 45)


@pytest.mark.parametrize("steps", [3, 50])
def test_idgi_is_complete_by_construction(lab, steps):
    with lab.double():
        x = lab.tensor(X, "float64")
        result = made(lab, "IDGI", steps=steps).attribute(x, TARGETS, baselines=STARTS)
    difference = MODEL.score(X) - MODEL.score(STARTS)
    assert_close(lab.numpy(result.values).sum(axis=1), difference, 1e-12)
    assert np.abs(result.completeness_gap).max() <= 1e-12
    # What is complete need not be right.
    assert (result.error > 1e-5).all()


def test_a_constant_model_has_nothing_to_share_out(lab):
    model = lab.function(lambda ops, x: ops.sum(ops.relu(x * 0.0)))
    result = made(lab, "IDGI", model).attribute(lab.tensor(X))
    assert (lab.numpy(result.values) == 0).all()
    assert (result.completeness_gap == 0).all()


@pytest.mark.parametrize("name", KINDS)
def test_the_stated_error_is_that_of_the_map(lab, name):
    """Networks with kinks: within a factor of two, in the mean over samples."""
    network = random_network(2013, 20, 40, 40, 3)
    x = single(np.random.default_rng(2014).standard_normal((30, 20)) * 3)
    with lab.double():
        native, model = lab.tensor(x, "float64"), lab.mlp(network)
        truth = lab.numpy(made(lab, name, model, steps=1025).explain(native, 1))
        result = made(lab, name, model, steps=33).attribute(native, 1)
    errors = np.abs(lab.numpy(result.values) - truth)
    stated = lab.numpy(result.standard_error)
    assert 0.5 <= np.sqrt(2 / np.pi) * stated.sum() / errors.sum() <= 2
    assert 0.5 <= (errors <= stated).mean() <= 0.8


def test_points_go_where_the_decision_is_made(lab):
    """A step of the score on a hundredth of the path, seen by one gradient in fifty or by most."""

    def step(ops, x):
        return ops.sum(ops.tanh((x - 0.5) * 100.0))

    x = lab.tensor(np.array([[1.0]]))
    found = made(lab, "IntegratedDecisionGradients", lab.function(step), steps=50).attribute(x)
    # The integral of the squared slope (100 / cosh(100 (a - 0.5))^2)^2 is 400 / 3.
    assert_close(lab.numpy(found.values), [[400 / 3]], 0.02)


@pytest.mark.parametrize("name", KINDS)
def test_several_baselines_are_averaged(lab, name):
    several = np.stack([STARTS, 0 * STARTS, -STARTS], axis=1)
    with lab.double():
        x = lab.tensor(X, "float64")
        method = made(lab, name, steps=8)
        runs = [
            lab.numpy(method.explain(x, TARGETS, baselines=several[:, k].copy())) for k in range(3)
        ]
        result = method.attribute(x, TARGETS, baselines=several)
    assert_close(lab.numpy(result.values), np.mean(runs, axis=0), 1e-12)
    assert (result.evaluations == 24).all()


@pytest.mark.parametrize("name", KINDS)
def test_cutting_an_input_in_two_changes_nothing(lab, name):
    def joined(ops, left, right):
        x = ops.concat([left, right])
        return ops.sum(ops.tanh(x * ops.like(W, x))) * ops.sum(x)

    with lab.double():
        whole = made(lab, name, lab.function(lambda ops, x: joined(ops, x[:, :4], x[:, 4:])))
        apart = made(lab, name, lab.function(joined), batch_size=3)
        expected = lab.numpy(whole.explain(lab.tensor(X, "float64")))
        pair = apart.explain(tuple(lab.tensor(p, "float64") for p in (X[:, :4], X[:, 4:])))
    assert_close(np.concatenate([lab.numpy(p) for p in pair], axis=1), expected, 1e-12)


@pytest.mark.parametrize("name", KINDS)
def test_it_can_be_smoothed(lab, name):
    method = polyattr.SmoothGrad(of=made(lab, name, steps=5), nb_samples=4, noise=0.0)
    found = lab.numpy(method.explain(lab.tensor(X), TARGETS))
    assert_close(found, lab.numpy(made(lab, name, steps=5).explain(lab.tensor(X), TARGETS)))


@pytest.mark.parametrize("name", KINDS)
def test_scores_and_gradients_that_are_not_finite(lab, name):
    model = lab.function(lambda ops, x: ops.sum(ops.sqrt(x)))
    x = lab.tensor(np.array([[4.0, 1.0], [1.0, -1.0]]))
    with pytest.raises(polyattr.NonFiniteGradientError, match=r"sample 1 at alpha"):
        made(lab, name, model, baseline_value=0.25).explain(x)


@pytest.mark.parametrize("name", KINDS)
def test_wrong_arguments(lab, name):
    with pytest.raises(polyattr.InputError, match="steps is 2; expected at least 3"):
        made(lab, name, steps=2)
    with pytest.raises(polyattr.InputError, match="tolerance is -1"):
        made(lab, name, tolerance=-1.0)
    with pytest.raises(polyattr.InputTypeError, match="has no argument 'rule'"):
        made(lab, name, rule="left")
