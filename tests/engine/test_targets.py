"""What may be explained: indices, multi-indices, weights, callables, predicted classes, scores."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr

RNG = np.random.default_rng(91)
X = RNG.standard_normal((4, 3))
W = RNG.standard_normal((3, 6))
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]


@pytest.fixture(scope="module")
def method(lab):
    """The gradient of class c by the inputs is column c of the weights."""
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(W, x)))
    return polyattr.GradientInput(model, backend=lab.name)


def expected(classes):
    return X * W[:, classes].T


@pytest.mark.parametrize("target", [2, np.int64(2), np.uint8(2), np.array(2)], ids=repr)
def test_one_index_for_all(lab, method, target):
    result = method.attribute(lab.tensor(X), target)
    assert_close(lab.numpy(result.values), expected([2] * 4))
    assert result.targets.tolist() == [2] * 4


@pytest.mark.parametrize("dtype", INTEGERS)
def test_numpy_indices_of_every_integer_type(lab, method, dtype):
    found = method.explain(lab.tensor(X), np.array([5, 0, 3, 1], dtype))
    assert_close(lab.numpy(found), expected([5, 0, 3, 1]))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_native_indices(lab, method, dtype):
    with lab.double():  # where int64 would otherwise not exist
        targets = lab.tensor(np.array([5, 0, 3, 1]), dtype)
    found = method.explain(lab.tensor(X), targets)
    assert_close(lab.numpy(found), expected([5, 0, 3, 1]))


def test_a_list_of_indices(lab, method):
    assert_close(lab.numpy(method.explain(lab.tensor(X), [5, 0, 3, 1])), expected([5, 0, 3, 1]))
    assert_close(lab.numpy(method(lab.tensor(X), [1, 1, 0, 0])), expected([1, 1, 0, 0]))


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64", "bool"])
def test_one_hot(lab, method, dtype):
    one_hot = np.eye(6)[[5, 0, 3, 1]].astype(dtype)
    found = lab.numpy(method.explain(lab.tensor(X), one_hot))
    assert_close(found, expected([5, 0, 3, 1]))
    if dtype != "float64":
        found = lab.numpy(method.explain(lab.tensor(X), lab.tensor(one_hot)))
        assert_close(found, expected([5, 0, 3, 1]))


def test_weights(lab, method):
    weights = RNG.standard_normal((4, 6))
    result = method.attribute(lab.tensor(X), weights)
    assert_close(lab.numpy(result.values), X * (weights @ W.T))
    assert_close(result.scores, (weights * (X @ W)).sum(axis=1))
    assert_close(result.targets, weights)


def test_as_many_samples_as_classes(lab):
    # (N,) integers are indices also where N is the number of classes; (N, N) are weights.
    model = lab.function(lambda ops, x: ops.matmul(x, ops.like(W[:, :4], x)))
    method = polyattr.GradientInput(model, backend=lab.name)
    found = method.explain(lab.tensor(X), np.array([3, 1, 0, 2]))
    assert_close(lab.numpy(found), expected([3, 1, 0, 2]))
    found = method.explain(lab.tensor(X), np.eye(4, dtype=int)[[3, 1, 0, 2]])
    assert_close(lab.numpy(found), expected([3, 1, 0, 2]))
    one = method.explain(lab.tensor(X[:1]), np.array([3]))
    assert_close(lab.numpy(one), expected([3, 1, 0, 2])[:1])


def test_a_callable_on_the_output(lab, method):
    def contrast(outputs):
        return outputs[:, 0] - outputs[:, 1]

    result = method.attribute(lab.tensor(X), contrast)
    assert_close(lab.numpy(result.values), X * (W[:, 0] - W[:, 1]))
    assert_close(result.scores, X @ (W[:, 0] - W[:, 1]))
    assert result.targets == "contrast"
    other = method.explain(lab.tensor(X), lambda outputs: outputs[:, 2])
    assert_close(lab.numpy(other), expected([2] * 4))


def test_no_target_is_the_predicted_class(lab, method):
    result = method.attribute(lab.tensor(X))
    predicted = (X @ W).argmax(axis=1)
    assert result.targets.tolist() == predicted.tolist()
    assert_close(lab.numpy(result.values), expected(predicted))


@pytest.mark.parametrize("shape", [(), (1,)])
def test_an_output_that_is_the_score(lab, shape):
    model = lab.function(lambda ops, x: ops.reshape(ops.sum(x * x), *shape))
    method = polyattr.GradientInput(model, backend=lab.name)
    result = method.attribute(lab.tensor(X))
    assert_close(lab.numpy(result.values), 2 * X * X)
    assert result.targets is None
    weights = np.array([1.0, -2.0, 0.5, 3.0])
    found = method.explain(lab.tensor(X), weights.reshape(4, *shape))
    assert_close(lab.numpy(found), 2 * X * X * weights[:, None])
    if shape == (1,):
        assert_close(lab.numpy(method.explain(lab.tensor(X), 0)), 2 * X * X)


@pytest.mark.parametrize(
    ("shape", "targets", "classes"),
    [
        ((2, 3), (1, 2), [5] * 4),
        ((2, 3), (0, [0, 1, 2, 0]), [0, 1, 2, 0]),
        ((2, 3), (np.array([1, 0, 1, 0]), np.array([0, 1, 2, 0], np.uint8)), [3, 1, 5, 0]),
        ((1, 3, 2), (0, 2, 1), [5] * 4),
        ((1, 3, 2), (0, [0, 1, 2, 0], 1), [1, 3, 5, 1]),
        # one tuple for each sample, as captum takes them
        ((2, 3), [(0, 0), (0, 1), (1, 2), (1, 0)], [0, 1, 5, 3]),
        ((2, 3), np.array([[0, 0], [0, 1], [1, 2], [1, 0]], np.int16), [0, 1, 5, 3]),
        ((1, 3, 2), [(0, 0, 1), (0, 1, 1), (0, 2, 0), (0, 0, 0)], [1, 3, 4, 0]),
    ],
)
def test_multi_indices_on_outputs_of_higher_rank(lab, shape, targets, classes):
    model = lab.function(lambda ops, x: ops.reshape(ops.matmul(x, ops.like(W, x)), *shape))
    result = polyattr.GradientInput(model, backend=lab.name).attribute(lab.tensor(X), targets)
    assert_close(lab.numpy(result.values), expected(classes))
    flat = np.ravel_multi_index(tuple(result.targets.T), shape)
    assert flat.tolist() == classes


def test_native_index_rows(lab):
    model = lab.function(lambda ops, x: ops.reshape(ops.matmul(x, ops.like(W, x)), 2, 3))
    method = polyattr.GradientInput(model, backend=lab.name)
    rows = lab.tensor(np.array([[0, 0], [0, 1], [1, 2], [1, 0]], np.int32))
    assert_close(lab.numpy(method.explain(lab.tensor(X), rows)), expected([0, 1, 5, 3]))
    by_row = [(0, 0), (0, 1), (1, 2), (1, 0)]
    dataset = [(lab.tensor(X[:3]), by_row[:3]), (lab.tensor(X[3:]), by_row[3:])]
    assert_close(lab.numpy(method.explain(dataset)), expected([0, 1, 5, 3]))


def test_weights_on_outputs_of_higher_rank(lab):
    model = lab.function(lambda ops, x: ops.reshape(ops.matmul(x, ops.like(W, x)), 2, 3))
    weights = RNG.standard_normal((4, 2, 3))
    found = polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X), weights)
    assert_close(lab.numpy(found), X * (weights.reshape(4, 6) @ W.T))
