"""Scores that depend on the place of a row, on the number of rows, on chance, on what ran before.

Each kind in several models on every framework; the maps of those that are answered have the value
of the model as it was when it was called.
"""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network

import polyattr
from polyattr.backend.registry import get_backend
from polyattr.probing.rows.unlike import most_unlike

X = np.random.default_rng(311).standard_normal((5, 3)).astype(np.float32)
PLACES = np.arange(100.0)[:, None]
REFUSED = "expected every sample to be scored on its own"


def by_place(ops, x):
    shifted = x + ops.like(PLACES[: x.shape[0]], x)
    return ops.sum(shifted * shifted)


def by_later_places(ops, x):
    return ops.sum(x * x) * ops.like(1.0 + (np.arange(x.shape[0]) > 1), x)


def by_number(ops, x):
    return ops.sum(x * x) / x.shape[0]


def in_larger_batches(ops, x):
    mean = ops.total(x) / x.shape[0] if x.shape[0] > 3 else 0.0
    return ops.sum(x * x * mean if x.shape[0] > 3 else x * x)


def in_groups_of_four(ops, x):
    if x.shape[0] % 4:
        return ops.sum(x * x)
    return ops.sum(x * x) + ops.sum(x[:1] * x[1:2])[0]


def noise_of_a_fixed_seed(ops, x):
    draws = np.random.default_rng(0).standard_normal(tuple(x.shape))
    return ops.sum(x * ops.like(draws, x))


DEPENDENT = [
    by_place,
    by_later_places,
    by_number,
    in_larger_batches,
    in_groups_of_four,
    noise_of_a_fixed_seed,
]


@pytest.mark.parametrize("body", DEPENDENT, ids=lambda body: body.__name__)
def test_scores_by_place_or_number(lab, body):
    x = np.concatenate([X, X[:3] * 2])
    method = polyattr.GradientInput(lab.function(body), backend=lab.name)
    with pytest.raises(polyattr.ModelOutputError, match=REFUSED):
        method.explain(lab.tensor(x))


def test_a_model_that_computes_in_single_precision(lab):
    """Other sums in another number of rows are its rounding, also where samples are float64."""
    network = random_network(313, 300, 64, 1)

    def body(ops, x):
        single = ops.cast(x, "float32")
        for i, (weight, bias) in enumerate(network.layers):
            single = ops.matmul(single, ops.like(weight, single)) + ops.like(bias, single)
            single = single if i else ops.relu(single)
        return ops.cast(single, "float64")[:, 0]

    x = np.random.default_rng(317).standard_normal((5, 300))
    with lab.double():
        method = polyattr.IntegratedGradients(lab.function(body), backend=lab.name)
        found = method.attribute(lab.tensor(x, "float64"))
    assert_close(found.scores, network.outputs(x)[:, 0], 1e-5)
    assert np.abs(found.completeness_gap).max() < 0.05 * np.abs(found.scores).max()


def test_the_message_says_what_a_score_depends_on(lab):
    said = {by_place: "as one row and", by_number: "among 2 rows and"}
    for body, words in said.items():
        method = polyattr.GradientInput(lab.function(body), backend=lab.name)
        with pytest.raises(polyattr.ModelOutputError, match=words):
            method.explain(lab.tensor(X))


def test_alike_samples_first_and_unlike_ones_later(lab):
    """A model that mixes only samples that are far apart is found when they come."""

    def body(ops, x):
        gap = x - ops.total(x) / x.shape[0]
        return ops.sum(x * x) + ops.sum(ops.relu(gap * gap - 1.0))

    method = polyattr.GradientInput(lab.function(body), backend=lab.name)
    alike = 1.0 + 0.01 * X
    assert_close(lab.numpy(method.explain(lab.tensor(alike))), 2 * alike**2)
    with pytest.raises(polyattr.ModelOutputError, match=REFUSED):
        method.explain(lab.tensor(10 * X))


def test_the_two_most_unlike_samples():
    rows = np.ones((50, 4), np.float32)
    rows[17], rows[31] = 9.0, -9.0
    assert most_unlike([rows])[:2] == (17, 31)
    assert most_unlike([rows[:3]])[2] == 0
    words = np.array([["a"], ["a"], ["b"]])
    assert most_unlike([words, np.ones((3, 2))])[:2] == (0, 2)


def test_numbers_drawn_while_a_model_is_traced(lab):
    """A compiled kernel keeps them: equal runs are equal, and yet left to chance."""
    generator = np.random.default_rng(0)

    def model(x):
        return lab.ops.sum(x * x) * float(generator.uniform(1.0, 2.0))

    method = polyattr.GradientInput(model, backend=lab.name)
    with pytest.warns(polyattr.RandomModelWarning, match="the model is random"):
        method.explain(lab.tensor(X))
    assert generator.uniform() == np.random.default_rng(0).uniform()  # as before the call


class Cell:
    """A recurrent cell that starts from the state its last call left."""

    def __init__(self, ops):
        self.ops, self.state = ops, None

    def __call__(self, x):
        before = x * 0.0 if self.state is None else self.state
        self.state = self.ops.tanh(x + before)
        return self.ops.sum(self.state)


def counted(lab):
    count = {"calls": 0}

    def model(x):
        count["calls"] += 1
        return lab.ops.sum(x * x) * count["calls"]

    return model, lambda: count["calls"] == 0, 2 * X**2


def hidden(lab):
    cell = Cell(lab.ops)
    return cell, lambda: cell.state is None, X * (1 - np.tanh(X) ** 2)


def in_a_closure(lab):
    state = None

    def model(x):
        nonlocal state
        state = lab.ops.tanh(x) if state is None else state + lab.ops.tanh(x)
        return lab.ops.sum(state)

    return model, lambda: state is None, X * (1 - np.tanh(X) ** 2)


def appended(lab):
    history = []

    def model(x):
        history.append(x)
        return lab.ops.sum(x * x) * len(history)

    return model, lambda: not history, 2 * X**2


@pytest.mark.parametrize("kept", [counted, hidden, in_a_closure, appended])
def test_a_state_is_the_one_at_the_time_of_the_call(lab, kept):
    model, untouched, expected = kept(lab)
    method = polyattr.GradientInput(model, backend=lab.name)
    for x, wanted in ((X, expected), (X, expected), (X[:2], expected[:2])):
        assert_close(lab.numpy(method.explain(lab.tensor(x))), wanted)
        assert untouched()


def test_a_state_and_tiles_of_any_size(lab):
    found = []
    for batch_size in (2, 64):
        method = polyattr.IntegratedGradients(
            Cell(lab.ops), backend=lab.name, steps=6, batch_size=batch_size
        )
        found.append(lab.numpy(method.explain(lab.tensor(X))))
    assert_close(found[0], found[1])


def test_a_list_of_calls_without_influence_stays(lab):
    calls = []

    def model(x):
        calls.append(tuple(x.shape))
        return lab.ops.sum(x * x)

    polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X))
    assert calls


def test_a_batch_size_written_into_the_model(lab):
    """Fewer rows are filled up to the number the model takes."""

    def body(ops, x):
        if x.shape[0] != 32:
            raise ValueError(f"shape {tuple(x.shape)} is not (32, 3)")
        return ops.sum(x * x)

    for settings in ({}, {"batch_size": 3}):
        model = lab.function(body)
        method = polyattr.IntegratedGradients(model, backend=lab.name, steps=40, **settings)
        for n in (5, 1):
            result = method.attribute(lab.tensor(X[:n]))
            assert_close(lab.numpy(result.values), X[:n] ** 2, 0.02)
            assert_close(result.scores, (X[:n] ** 2).sum(1))


def test_a_batch_size_that_cannot_be_found(lab):
    def body(ops, x):
        raise ValueError("wrong shape")

    with pytest.raises(ValueError, match="wrong shape") as caught:
        polyattr.GradientInput(lab.function(body), backend=lab.name).explain(lab.tensor(X))
    assert any("also tried" in note and "batch_size=" in note for note in caught.value.__notes__)


def test_a_model_that_squeezes_a_single_row_away(lab):
    weight = np.array([[1.0], [-2.0], [3.0]])

    def body(ops, x):
        scores = ops.matmul(x, ops.like(weight, x))
        return scores[0, 0] if x.shape[0] == 1 else ops.sum(scores)

    for settings in ({}, {"batch_size": 1}):
        method = polyattr.GradientInput(lab.function(body), backend=lab.name, **settings)
        for n in (1, 5):
            result = method.attribute(lab.tensor(X[:n]))
            assert_close(lab.numpy(result.values), X[:n] * weight.T)
            assert_close(result.scores, X[:n] @ weight[:, 0])


KINDS = ("mixing", "place", "number", "chance", "none")


@pytest.mark.parametrize("seed", range(10))
def test_random_models_are_told_apart(lab, seed):
    """Refused or warned about where they depend on more than the sample; no false alarm."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    network, amount = random_network(seed, 3, 6, 1), float(rng.uniform(0.2, 1.0))
    inner, uneven = lab.mlp(network), rng.standard_normal((64, 1))
    size = get_backend(lab.name).absolute

    def model(x):
        if kind == "mixing":
            x = x - lab.ops.total(x) * (amount / x.shape[0])
        if kind == "place":
            x = x + lab.ops.like(uneven[: x.shape[0]], x) * amount
        outputs = lab.ops.sum(inner(x))
        if kind == "number":
            outputs = outputs * (1.0 + amount / x.shape[0])
        if kind == "chance":
            outputs = outputs * float(1.0 + rng.uniform(0.1, 1.0))
        return outputs + size(outputs) * 0.5

    x = lab.tensor(rng.standard_normal((int(rng.integers(2, 7)), 3)).astype(np.float32))
    method = polyattr.GradientInput(model, backend=lab.name)
    if kind == "none":
        method.explain(x)  # a warning would be an error here
    elif kind == "chance":
        with pytest.warns(polyattr.RandomModelWarning):
            method.explain(x)
    else:
        with pytest.raises(polyattr.ModelOutputError, match=REFUSED):
            method.explain(x)
