"""Deletion and insertion: curves of linear models are sums of sorted attributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr
from polyattr import metrics

RNG = np.random.default_rng(1500)
X = single(RNG.standard_normal((5, 8)))
WEIGHTS = single(RNG.standard_normal(8))
START = single(RNG.standard_normal(8))
NETWORK = random_network(1501, 8, 12, 3)


def linear(ops, x):
    return ops.sum(x * ops.like(WEIGHTS, x)) + 2.0


def product(lab, **arguments):
    return polyattr.GradientInput(lab.function(linear), backend=lab.name, **arguments)


def trapezoid(scores, fractions):
    return ((scores[:, 1:] + scores[:, :-1]) / 2 * np.diff(fractions)).sum(axis=1)


def by_hand(start, order_by, insert, portion=1):
    """Scores (N, K) and areas of the linear model, features replaced in descending order."""
    moved = (X - start) * WEIGHTS
    order = np.argsort(-order_by, axis=1, kind="stable")
    counts = np.arange(0, 9, portion)
    passed = np.concatenate([np.zeros((5, 1)), np.take_along_axis(moved, order, 1).cumsum(1)], 1)
    passed = passed[:, counts]
    ends = (X @ WEIGHTS + 2)[:, None], (np.broadcast_to(start, X.shape) @ WEIGHTS + 2)[:, None]
    scores = ends[1] + passed if insert else ends[0] - passed
    return scores, trapezoid(scores, counts / 8)


@pytest.mark.parametrize("batch_size", [None, 7, "auto"])
@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_of_a_linear_model_it_is_the_sum_of_what_is_left(lab, name, batch_size):
    measure = getattr(metrics, name)
    found = measure(product(lab, batch_size=batch_size), lab.tensor(X), replacement=START)
    scores, areas = by_hand(START, X * WEIGHTS, name == "insertion")
    assert_close(found.scores, scores, 1e-5)
    assert_close(found.values, areas, 1e-5)
    assert_close(found.fractions, np.linspace(0, 1, 9), 1e-12)
    assert not found.tied.any()
    assert found.metric == name
    assert found.better == ("higher" if name == "insertion" else "lower")


def test_fewer_steps_remove_several_features_at_once(lab):
    found = metrics.deletion(product(lab), lab.tensor(X), steps=4)
    assert_close(found.values, by_hand(np.zeros(8), X * WEIGHTS, False, portion=2)[1], 1e-5)


def test_by_magnitude_what_speaks_against_the_score_is_removed_as_well(lab):
    found = metrics.deletion(product(lab), lab.tensor(X), rank_by="magnitude")
    assert_close(found.values, by_hand(np.zeros(8), np.abs(X * WEIGHTS), False)[1], 1e-5)


def test_normalised_curves_run_from_one_to_zero(lab):
    plain = metrics.insertion(product(lab), lab.tensor(X), replacement=START)
    found = metrics.insertion(product(lab), lab.tensor(X), replacement=START, normalise=True)
    first, last = plain.scores[:, :1], plain.scores[:, -1:]
    assert_close(found.scores, (plain.scores - first) / (last - first), 1e-6)
    assert_close(found.scores[:, [0, -1]], np.tile([0.0, 1.0], (5, 1)), 1e-12)


def test_given_maps_take_the_place_of_those_of_the_method(lab):
    order_by = RNG.standard_normal(X.shape)
    found = metrics.deletion(product(lab), lab.tensor(X), attribution=order_by)
    assert_close(found.values, by_hand(np.zeros(8), order_by, False)[1], 1e-5)
    native = metrics.deletion(product(lab), lab.tensor(X), attribution=lab.tensor(order_by))
    assert_close(native.values, found.values, 1e-6)
    result = product(lab).attribute(lab.tensor(X))
    again = metrics.deletion(product(lab), lab.tensor(X), attribution=result)
    assert_close(again.values, by_hand(np.zeros(8), X * WEIGHTS, False)[1], 1e-5)


def test_the_predicted_class_stays_the_target_all_along(lab):
    method = polyattr.GradientInput(lab.mlp(NETWORK), backend=lab.name)
    classes = NETWORK.outputs(X).argmax(axis=1)
    free = metrics.deletion(method, lab.tensor(X))
    named = metrics.deletion(method, lab.tensor(X), classes)
    assert_close(free.scores, named.scores, 1e-6)
    order = np.argsort(-(X * NETWORK.gradient(X, np.eye(3)[classes])), axis=1)
    half = X.copy()
    np.put_along_axis(half, order[:, :4], 0, axis=1)
    expected = NETWORK.outputs(half)[np.arange(5), classes]
    assert_close(free.scores[:, 4], expected, 1e-4)
    assert len(set(classes)) > 1  # or the test could not tell


def test_channels_go_together_by_their_sum(lab):
    pictures = single(RNG.standard_normal((3, 2, 2, 2)))
    weights = single(RNG.standard_normal((2, 2, 2)))

    def score(ops, x):
        return ops.sum(x * ops.like(weights, x))

    method = polyattr.GradientInput(lab.function(score), backend=lab.name)
    found = metrics.deletion(method, lab.tensor(pictures), channel_axis=1)
    places = np.sort((pictures * weights).sum(axis=1).reshape(3, 4))[:, ::-1]
    scores = (pictures * weights).reshape(3, -1).sum(1)[:, None] - np.concatenate(
        [np.zeros((3, 1)), places.cumsum(1)], 1
    )
    assert_close(found.scores, scores, 1e-5)
    last = metrics.deletion(method, lab.tensor(pictures), channel_axis=-3)
    assert_close(last.scores, scores, 1e-5)


def test_several_inputs_are_ranked_together_and_masks_stay(lab):
    mask = np.array([[1], [0], [1], [1], [0]])

    def score(ops, inputs):
        return ops.sum(inputs["a"]) + 3 * ops.sum(inputs["b"])

    method = polyattr.GradientInput(lab.function(score), backend=lab.name)
    inputs = {"a": lab.tensor(X[:, :2]), "b": lab.tensor(X[:, 2:4]), "mask": lab.tensor(mask)}
    found = metrics.deletion(method, inputs)
    moved = np.concatenate([X[:, :2], 3 * X[:, 2:4]], axis=1)
    ordered = np.sort(moved, axis=1)[:, ::-1].cumsum(axis=1)
    assert_close(found.scores[:, 1:], moved.sum(1)[:, None] - ordered, 1e-5)


@pytest.mark.parametrize("name", ["deletion", "insertion"])
def test_equal_attributions_are_removed_in_an_order_that_is_drawn_for_each_sample(lab, name):
    measure = getattr(metrics, name)
    flat = np.zeros_like(X)
    found = measure(product(lab), lab.tensor(X), attribution=flat, seed=3)
    assert (found.tied == 1).all()
    other = measure(product(lab), lab.tensor(X), attribution=flat, seed=4)
    assert np.abs(found.values - other.values).max() > 0.01
    moved = np.diff(found.scores, axis=1) * (1 if name == "insertion" else -1)
    first = [int(np.abs(X[i] * WEIGHTS - moved[i, 0]).argmin()) for i in range(5)]
    assert len(set(first)) > 1  # not the first feature of each
    assert_close(np.sort(moved, axis=1), np.sort(X * WEIGHTS, axis=1), 1e-4)


@settings(max_examples=12, deadline=None)
@given(rows=st.permutations(range(5)), size=st.integers(1, 12), seed=st.integers(0, 2**40))
def test_a_sample_has_its_curve_whatever_stands_beside_it(lab, rows, size, seed):
    some = list(rows)[:3]
    ties = np.round(X)  # many are equal
    whole = metrics.deletion(product(lab), lab.tensor(X), attribution=ties, seed=seed)
    part = metrics.deletion(
        product(lab, batch_size=size),
        lab.tensor(X[some]),
        attribution=ties[some],
        seed=seed,
        sample_ids=np.array(some),
    )
    assert_close(part.scores, whole.scores[some], 1e-5)
    assert_close(part.tied, whole.tied[some], 1e-12)


def test_batches_of_a_dataset_are_joined(lab):
    batches = [lab.tensor(X[:3]), lab.tensor(X[3:])]
    ties = np.round(X)
    whole = metrics.insertion(product(lab), lab.tensor(X), attribution=ties)
    found = metrics.insertion(product(lab), iter(batches), attribution=ties)
    assert_close(found.scores, whole.scores, 1e-6)
    assert len(found) == 5
    labels = [(lab.tensor(X[:3]), np.array([0, 1, 2])), (lab.tensor(X[3:]), np.array([2, 0]))]
    method = polyattr.GradientInput(lab.mlp(NETWORK), backend=lab.name)
    named = metrics.deletion(method, lab.tensor(X), np.array([0, 1, 2, 2, 0]))
    assert_close(metrics.deletion(method, labels).scores, named.scores, 1e-5)


def test_further_arguments_follow_their_samples(lab):
    scale = single(RNG.random(5) + 0.5)

    def scaled(ops, x, s):
        return ops.sum(x * ops.like(WEIGHTS, x)) * s

    method = polyattr.GradientInput(lab.function(scaled), backend=lab.name, batch_size=4)
    found = metrics.deletion(method, lab.tensor(X), forward_args=(lab.tensor(scale),), batched=(0,))
    order = np.sort(X * WEIGHTS, axis=1)[:, ::-1].cumsum(axis=1)
    expected = ((X @ WEIGHTS)[:, None] - order) * scale[:, None]
    assert_close(found.scores[:, 1:], expected, 1e-4)


def test_samples_whose_map_is_marked_have_no_value(lab):
    def root(ops, x):
        return ops.sum(ops.sqrt(x))

    method = polyattr.GradientInput(lab.function(root), backend=lab.name, on_nonfinite="mark")
    x = np.abs(X[:2])
    x[1, 0] = 0.0
    with pytest.warns(polyattr.NonFiniteGradientWarning):
        found = metrics.deletion(method, lab.tensor(x))
    assert np.isnan(found.values).tolist() == [False, True]
    assert not np.isnan(found.mean)
