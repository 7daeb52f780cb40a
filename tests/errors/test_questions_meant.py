"""Questions that can be answered, and may not be those that were meant: each is told once."""

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network, single

import polyattr
from polyattr import GradientInput, InputError, QuestionWarning

NETWORK = random_network(1301, 3, 8, 4)
X = single(np.random.default_rng(1302).standard_normal((6, 3)))
LABELS = np.array([3, 0, 2, 1, 1, 0])
W = np.random.default_rng(1303).standard_normal((3, 2))


@pytest.fixture(scope="module")
def model(lab):
    """Hidden layers "dense0" of 8 units, then "logits", then a softmax."""
    return lab.network(NETWORK)


def linear(ops, x):
    return ops.matmul(x, ops.like(W, x))


def single_output(ops, x):
    return ops.matmul(x, ops.like(W[:, :1], x))


# -- probabilities ---------------------------------------------------------------------------------


@pytest.mark.parametrize("targets", [1, LABELS, None], ids=["an index", "labels", "predicted"])
@pytest.mark.parametrize("operator", [None, "classification", "margin"])
def test_probabilities_are_said_to_be_some_once(lab, model, operator, targets):
    method = GradientInput(model, operator=operator)
    with pytest.warns(QuestionWarning, match="the outputs are probabilities.*output_layer") as said:
        method.explain(lab.tensor(X), targets)
    assert len(said) == 1
    method.explain(lab.tensor(X[:3]), 0)  # a second warning would be an error here
    method.attribute(lab.tensor(X), LABELS)


def test_what_is_no_class_of_probabilities_is_not_told_of(lab, model):
    # A warning would be an error here.
    x = lab.tensor(X)
    GradientInput(model, output_layer="logits").explain(x, LABELS)
    GradientInput(model, operator="regression").explain(x, one_hot(LABELS, 4))
    GradientInput(model).explain(x, lambda outputs: outputs[:, 0])
    GradientInput(lab.network(NETWORK, softmax=False)).explain(x, LABELS)


def shifted(ops, x):
    """Rows that sum to 1, and are no probabilities."""
    part = ops.sum(x)[:, None]
    return ops.concat([part, 1.0 - part])


def shares(ops, x):
    part = ops.sum(x * x)[:, None]
    return ops.concat([part + 0.5, part + 0.5])


@pytest.mark.parametrize("body", [shifted, shares])
def test_outputs_like_probabilities_give_no_alarm(lab, body):
    GradientInput(lab.function(body), backend=lab.name).explain(lab.tensor(X * 3), 1)


# -- layers that are not the logits ---------------------------------------------------------------


@pytest.mark.parametrize("targets", [LABELS, 2, None], ids=["labels", "an index", "predicted"])
def test_labels_of_a_layer_with_other_units(lab, model, targets):
    method = GradientInput(model, output_layer="dense0")
    text = "output_layer is 'dense0', which gives 8 numbers per sample where the model gives 4"
    with pytest.warns(QuestionWarning, match=text) as said:
        method.attribute(lab.tensor(X), targets)
    assert len(said) == 1
    method.attribute(lab.tensor(X), LABELS)


def test_units_that_are_meant(lab, model):
    method = GradientInput(model, output_layer="dense0")
    x, hidden = lab.tensor(X), NETWORK.layers[0][0]
    assert_close(lab.numpy(method.explain(x, 7)), X * hidden[:, 7])  # the model has 4 classes
    assert_close(lab.numpy(method.explain(x, lambda z: z[:, 1])), X * hidden[:, 1])
    weights = np.eye(8)[[3] * 6]
    assert_close(lab.numpy(method.explain(x, weights)), X * hidden[:, 3])


# -- several outputs, and nothing said -------------------------------------------------------------


def test_another_output_for_each_sample_is_told_once(lab):
    method = GradientInput(lab.function(linear), backend=lab.name)
    predicted = (X @ W).argmax(axis=1)
    assert len(set(predicted)) == 2
    with pytest.warns(
        QuestionWarning, match=r"largest of its 2 outputs: \d \(\d samples\)"
    ) as said:
        found = method.explain(lab.tensor(X))
    assert len(said) == 1
    method.explain(lab.tensor(X))
    assert_close(lab.numpy(found), X * W[:, predicted].T)


def test_classes_that_are_known_to_be_some_give_no_alarm(lab):
    x, body = lab.tensor(X), lab.function(linear)
    GradientInput(body, backend=lab.name, operator="classification").explain(x)
    GradientInput(body, backend=lab.name).attribute(x)  # its targets say which
    same = np.repeat(X[:1], 3, axis=0)
    GradientInput(body, backend=lab.name).explain(lab.tensor(same))


# -- labels of a dataset ---------------------------------------------------------------------------


def datasets(lab, labels):
    """The same batches in every form a dataset has in the framework."""
    pairs = [(X[:4], labels[:4]), (X[4:], labels[4:])]
    native = [(lab.tensor(x), lab.tensor(y)) for x, y in pairs]
    every = {"a list": pairs, "a generator": (pair for pair in native)}
    if lab.name == "torch":
        from torch.utils.data import DataLoader, TensorDataset

        every["a DataLoader"] = DataLoader(
            TensorDataset(lab.tensor(X), lab.tensor(labels)), batch_size=4
        )
    if lab.name == "tensorflow":
        import tensorflow as tf

        every["a tf.data.Dataset"] = tf.data.Dataset.from_tensor_slices(
            (X.astype("float32"), labels)
        ).batch(4)
    return every


PRICES = np.random.default_rng(1304).standard_normal(6).astype(np.float32)


@pytest.mark.parametrize(
    "labels",
    [PRICES, PRICES[:, None], np.array([0, 1, 1, 0, 1, 0])],
    ids=["floats", "a column", "two classes"],
)
def test_labels_do_not_multiply_the_map_of_one_score(lab, labels):
    for batches in datasets(lab, labels).values():
        method = GradientInput(lab.function(single_output), backend=lab.name)
        with pytest.warns(QuestionWarning, match="the second part of the batches is not") as said:
            found = method.explain(batches)
        assert len(said) == 1
        assert_close(lab.numpy(found), X * W[:, 0])


def test_a_regression_that_is_named_needs_no_word(lab):
    for batches in datasets(lab, PRICES).values():
        method = GradientInput(lab.function(single_output), backend=lab.name, operator="regression")
        assert_close(lab.numpy(method.explain(batches)), X * W[:, 0])


def test_labels_of_several_outputs_are_refused(lab):
    labels = np.random.default_rng(1305).standard_normal((6, 2)).astype(np.float32)
    for operator in (None, "regression"):
        method = GradientInput(lab.function(linear), backend=lab.name, operator=operator)
        for batches in datasets(lab, labels).values():
            with pytest.raises(
                InputError, match=r"would multiply the map\. Say with targets which"
            ):
                method.explain(batches)
        found = method.explain([(X, labels)], 1)
        assert_close(lab.numpy(found), X * W[:, 1])


@pytest.mark.parametrize("hot", [one_hot([0, 1, 1, 0, 1, 0], 2), np.full((6, 2), 0.5)])
def test_classes_marked_or_shared_out_are_targets(lab, hot):
    for batches in datasets(lab, hot.astype(np.float32)).values():
        method = GradientInput(lab.function(linear), backend=lab.name)
        assert_close(lab.numpy(method.explain(batches)), X * (hot @ W.T))


def test_a_loss_gets_the_labels(lab):
    squared = polyattr.loss(lambda outputs, targets: lab.ops.sum((outputs - targets) ** 2))
    for batches in datasets(lab, PRICES[:, None]).values():
        method = GradientInput(lab.function(single_output), backend=lab.name, operator=squared)
        wanted = X * 2 * (X @ W[:, :1] - PRICES[:, None]) * W[:, 0]
        assert_close(lab.numpy(method.explain(batches)), wanted)
