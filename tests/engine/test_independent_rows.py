"""A sample's score may not depend on the samples beside it: such models are refused, and no other.

Rows are mixed in the ways models do it by mistake: means, softmax, maxima and normalisation over
the first axis, statistics of the batch, an operator that compares samples.
"""

import functools
import itertools

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr.backend.registry import get_backend

X = np.random.default_rng(221).standard_normal((5, 3))
WEIGHTS = np.array([1.0, -2.0, 3.0])
REASON = "expected every sample to be scored on its own"


def mean(ops, x):
    return ops.total(x) / x.shape[0]


def minus_the_mean(ops, x):
    return ops.sum((x - mean(ops, x)) * ops.like(WEIGHTS, x))


def minus_a_detached_mean(ops, x):
    return ops.sum((x - ops.detach(mean(ops, x))) * ops.like(WEIGHTS, x))


def softmax_over_the_samples(ops, x):
    scores = ops.exp(ops.sum(x * ops.like(WEIGHTS, x)))
    return scores / ops.total(scores)


def normalised_by_the_batch(ops, x):
    centred = x - mean(ops, x)
    variance = mean(ops, centred * centred) + 1e-5
    return ops.sum(ops.tanh(centred / ops.sqrt(variance)) * ops.like(WEIGHTS, x))


def next_to_the_first(ops, x):
    return ops.sum(x * x[:1])


MIXING = {
    mixing.__name__: mixing
    for mixing in (
        minus_the_mean,
        minus_a_detached_mean,
        softmax_over_the_samples,
        normalised_by_the_batch,
        next_to_the_first,
    )
}


def refused(lab, model, x, targets=None, **settings):
    method = polyattr.GradientInput(model, backend=lab.name, **settings)
    for call in (method.explain, method.attribute):  # the second call is refused as the first
        with pytest.raises(polyattr.ModelOutputError, match=REASON) as caught:
            call(lab.tensor(x), targets)
        assert "beside itself and" in str(caught.value)
        assert "softmax over the first axis" in str(caught.value)


@pytest.mark.parametrize("n", [1, 2, 5])
@pytest.mark.parametrize("name", MIXING)
def test_models_that_mix_rows(lab, name, n):
    refused(lab, lab.function(MIXING[name]), X[:n])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_largest_of_the_batch(lab, n):
    """A maximum over rows changes one of two scores only: whichever is the smaller."""
    largest_of = get_backend(lab.name).maximum

    def model(x):
        rows = [x[i : i + 1] for i in range(x.shape[0])]
        return lab.ops.sum(x * x * 0.5 + functools.reduce(largest_of, rows))

    for x in (np.abs(X), -np.abs(X)):
        for order in (1, -1):
            refused(lab, model, x[:n][::order].copy())


@pytest.mark.parametrize("n", [2, 5])
def test_an_operator_that_mixes_rows(lab, n):
    """Contrasting a sample with the batch's mean score is no score of the sample."""

    def contrast(model, inputs, targets):
        scores = lab.ops.sum(model(inputs))
        return scores - lab.ops.total(scores) / scores.shape[0]

    refused(lab, lab.function(lambda ops, x: x * x), X[:n], operator=contrast)


def test_a_callable_target_that_mixes_rows(lab):
    """Also where the explainer has answered other questions before."""
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(np.eye(3)[:, :2], x)))
    method = polyattr.GradientInput(model, backend=lab.name)
    assert_close(lab.numpy(method.explain(lab.tensor(X), 1))[:, 1], X[:, 1])
    with pytest.raises(polyattr.ModelOutputError, match=REASON):
        method.explain(lab.tensor(X), lambda out: out[:, 0] - mean(lab.ops, out)[0])
    found = method.explain(lab.tensor(X), lambda out: out[:, 0] - out[:, 1])
    assert_close(lab.numpy(found), X * [1.0, -1.0, 0.0])


def test_targets_that_are_spread_over_the_rows(lab):
    """(R,) minus (R, 1) is (R, R): broadcasting mixes rows without a word."""

    def squared(outputs, targets):
        return lab.ops.sum((outputs - targets) * (outputs - targets))

    model = lab.function(lambda ops, x: ops.reshape(ops.sum(x * x), 1))
    targets = np.array([1.0, -2.0, 3.0, 0.5, 4.0], np.float32)
    refused(lab, model, X, targets, operator=polyattr.loss(squared))
    method = polyattr.GradientInput(model, backend=lab.name, operator=polyattr.loss(squared))
    found = method.explain(lab.tensor(X), targets[:, None])
    error = (X**2).sum(axis=1) - targets
    assert_close(lab.numpy(found), X * 4 * X * error[:, None])


def test_each_input_of_several_is_looked_at(lab):
    def model(left, right):
        return lab.ops.sum(left) + lab.ops.sum(right - mean(lab.ops, right) * 0.5)

    method = polyattr.GradientInput(model, backend=lab.name)
    with pytest.raises(polyattr.ModelOutputError, match=REASON):
        method.explain((lab.tensor(X), lab.tensor(X[::-1].copy())))


def test_a_mixing_forward_argument(lab):
    """Rows may be mixed by what comes along as well."""

    def model(x, weights):
        return lab.ops.sum(x * weights) / lab.ops.total(lab.ops.sum(weights * weights))

    method = polyattr.GradientInput(model, backend=lab.name)
    weights = np.abs(X) + 1.0
    with pytest.raises(polyattr.ModelOutputError, match=REASON):
        method.explain(lab.tensor(X), forward_args=(lab.tensor(weights),))


def test_one_row_of_zeros_is_no_reason_to_refuse(lab):
    """Nothing can be told from it, and the next call looks again."""
    method = polyattr.GradientInput(lab.function(minus_the_mean), backend=lab.name)
    assert (lab.numpy(method.explain(lab.tensor(np.zeros((1, 3))))) == 0).all()
    with pytest.raises(polyattr.ModelOutputError, match=REASON):
        method.explain(lab.tensor(X[:1]))


def test_a_model_that_is_random_is_not_called_mixing(lab):
    """Two runs differ anyway, so a difference says nothing about rows: that is what is said."""
    draws = itertools.count(1)

    def drawn():
        return np.float32(1.0 + 0.1 * (next(draws) % 7))

    model = with_host_number(lab, drawn)
    with pytest.warns(polyattr.RandomModelWarning, match="two equal evaluations"):
        found = polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X))
    ratio = lab.numpy(found) / (2 * X**2)
    assert np.ptp(ratio) <= 1e-5
    assert 0.9 < ratio.mean() < 1.8


def with_host_number(lab, draw):
    """The sum of squares times a number the host draws anew at every evaluation."""
    if lab.name == "torch":
        return lambda x: lab.ops.sum(x * x) * float(draw())
    if lab.name == "tensorflow":
        import tensorflow as tf

        def model(x):
            number = tf.numpy_function(draw, [], tf.float32)
            return lab.ops.sum(x * x) * tf.reshape(number, ())

        return model
    import jax

    def model(x):
        shape = jax.ShapeDtypeStruct((), np.float32)
        return lab.ops.sum(x * x) * jax.pure_callback(draw, shape)

    return model


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("depth", [1, 12])
def test_independent_models_are_never_refused(lab, dtype, depth):
    """Rounding, however coarse the dtype and deep the network, is not mixing."""
    sizes = [3, *[16] * depth, 2]
    network = random_network(depth, *sizes)
    with lab.double():
        method = polyattr.GradientInput(lab.mlp(network), backend=lab.name)
        for scale in (1.0, 1e-3, 100.0):
            for n in (1, 2, 5):
                x = lab.tensor(X[:n] * scale, dtype)
                found = lab.numpy(method.explain(x, 1))
                if dtype in {"float32", "float64"}:
                    plain = lab.numpy(x).astype(np.float64)
                    expected = plain * network.gradient(plain, one_hot([1] * n, 2))
                    assert_close(found, expected, 1e-4 if dtype == "float32" else 1e-12)


def test_scores_that_cancel_are_not_called_mixing(lab):
    """A small difference of large numbers has a large rounding; it is the same in every pair."""
    model = lab.function(lambda ops, x: (ops.sum(x * x) + 1e6) - (ops.sum(x) + 1e6))
    found = polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X))
    assert_close(lab.numpy(found), X * (2 * X - 1))


def test_the_check_is_made_once(lab):
    """Some evaluations of two rows, and none in the next calls with inputs of this kind."""
    model, counter = lab.counting(lambda ops, x: ops.sum(x * x))
    method = polyattr.GradientInput(model, backend=lab.name)
    method.explain(lab.tensor(X))
    assert counter.calls > 1
    method.explain(lab.tensor(X), np.full(5, 0.5))  # asks what such a score depends on
    counter.reset()
    for n in (5, 3, 1):  # more or fewer samples are the same kind
        method.explain(lab.tensor(2 * X[:n]))
        method.explain(lab.tensor(X[:n]), np.full(n, 0.5))
    assert counter.calls == 6
    counter.reset()
    method.explain(lab.tensor(X[:, :2]))  # another shape may run other code
    assert counter.calls > 1


def test_the_check_costs_a_tile_and_two_rows_at_a_time(lab):
    """The model may depend on the number of rows: one tile as it will be called is tried, too."""
    model, counter = lab.counting(lambda ops, x: ops.sum(x * x))
    x = np.random.default_rng(0).standard_normal((64, 3))
    polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(x))
    assert counter.rows <= 2 * 64 + 26
