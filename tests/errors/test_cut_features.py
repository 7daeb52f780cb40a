"""Features that change the score though no gradient reaches them are named."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network, single

import polyattr
from polyattr import CutGradientWarning, GradientInput

RNG = np.random.default_rng(1401)
X = single(np.concatenate([RNG.integers(1, 10, (6, 1)), RNG.standard_normal((6, 3))], axis=1))
W = RNG.standard_normal(4)


def whole(lab, values):
    """Rounds down to integers, as embeddings ask for."""
    if lab.name == "torch":
        return values.long().to(values.dtype)
    if lab.name == "tensorflow":
        import tensorflow as tf

        return tf.cast(tf.cast(values, tf.int32), values.dtype)
    return values.astype("int32").astype(values.dtype)


def integer_column(lab):
    def body(ops, x):
        return whole(lab, x[:, 0]) ** 2 + ops.sum(x[:, 1:] * ops.like(W[1:], x))

    return lab.function(body)


def detached_column(lab):
    return lab.function(lambda ops, x: ops.detach(x[:, 0]) * 0.5 + ops.sum(x[:, 1:]))


@pytest.mark.parametrize("method", ["GradientInput", "Saliency", "SmoothGrad"])
@pytest.mark.parametrize("kind", [integer_column, detached_column])
def test_a_column_that_no_gradient_reaches(lab, kind, method):
    explainer = getattr(polyattr, method)(kind(lab), backend=lab.name)
    text = r"the score changes with inputs\[:, 0\], but"
    with pytest.warns(CutGradientWarning, match=text) as said:
        found = lab.numpy(explainer.explain(lab.tensor(X)))
    assert len(said) == 1
    assert (found[:, 0] == 0).all()
    assert (found[:, 1:] != 0).all()
    explainer.explain(lab.tensor(X))  # said once: a second warning would be an error here


def test_a_single_sample_is_enough(lab):
    method = GradientInput(integer_column(lab), backend=lab.name)
    with pytest.warns(CutGradientWarning, match=r"inputs\[:, 0\]"):
        found = lab.numpy(method.explain(lab.tensor(X[:1])))
    assert_close(found[:, 1:], X[:1, 1:] * W[1:])


def test_a_column_among_sequences_and_in_one_of_several_inputs(lab):
    def body(ops, steps, rest):
        return ops.sum(whole(lab, steps[:, :, 1])) + ops.sum(steps[:, :, 0]) + ops.sum(rest)

    steps = single(RNG.integers(1, 9, (4, 3, 2)))
    method = GradientInput(lab.function(body), backend=lab.name)
    with pytest.warns(CutGradientWarning, match=r"inputs\[0\]\[:, 0, 1\].*inputs\[0\]\[:, 2, 1\]"):
        method.explain((lab.tensor(steps), lab.tensor(X[:4])))


def short_ramp(ops, x):
    """Flat but for a thousandth of the way between two samples."""
    first = ops.sum(x[:, :1])
    return ops.relu(first - 0.2) - ops.relu(first - 0.201) + ops.sum(x[:, 1:])


def test_a_short_ramp_is_no_step(lab):
    x = single(np.stack([np.linspace(0.0, 1.0, 5), np.ones(5), np.arange(5.0)], axis=1))
    found = lab.numpy(
        GradientInput(lab.function(short_ramp), backend=lab.name).explain(lab.tensor(x))
    )
    assert (found[:, 0] == 0).all()


def ramp(ops, x):
    """Flat at both samples, and steep between."""
    first = ops.sum(x[:, :1])
    return ops.relu(first - 4.0) - ops.relu(first - 6.0) + ops.sum(x[:, 1:])


def unused(ops, x):
    return ops.sum(x[:, 1:] * x[:, 1:])


@pytest.mark.parametrize("body", [ramp, unused])
def test_gradients_that_are_zero_and_not_cut_give_no_alarm(lab, body):
    x = X[:2].copy()
    x[:, 0] = 2.0, 9.0
    GradientInput(lab.function(body), backend=lab.name).explain(lab.tensor(x))


def test_dead_units_give_no_alarm(lab):
    for seed in range(8):
        model = lab.mlp(random_network(seed, 4, 2, 2))
        GradientInput(model, backend=lab.name).explain(lab.tensor(X[:2]), 0)
    linear = lab.function(lambda ops, x: ops.sum(x * ops.like(W, x)))
    found = polyattr.VarGrad(linear, backend=lab.name).explain(lab.tensor(X))
    assert (lab.numpy(found) < 1e-10).all()
