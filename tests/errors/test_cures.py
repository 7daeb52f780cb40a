"""Inputs in another form than the model takes: the error says which form that is."""

import numpy as np
import pytest

import polyattr
from polyattr import InputError, InputTypeError, ModelOutputError
from polyattr.backend.registry import get_backend

RNG = np.random.default_rng(451)
X = RNG.standard_normal((4, 3)).astype(np.float32)
Y = np.array([0, 1, 1, 0])
W = RNG.standard_normal((3, 2)).astype(np.float32)
EDGES = np.array([[0, 1, 2, 3], [1, 2, 3, 0]], np.int32)


class Row:
    """An item of a dataset that is read one by one."""

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[index], Y[index]


class Table:
    """What pandas and polars call a DataFrame, without either."""

    columns = ("a", "b", "c")
    shape = X.shape

    def to_numpy(self):
        return X

    def __iter__(self):
        return iter(self.columns)


class Sparse:
    """What scipy calls a csr_matrix."""

    shape = X.shape

    def tocsr(self):
        return self

    def toarray(self):
        return X


def refused(kind, call, *parts):
    with pytest.raises(kind) as caught:
        call()
    assert isinstance(caught.value, polyattr.PolyattrError)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


@pytest.fixture(scope="module")
def method(lab):
    """A linear model (N, 3) -> (N, 2) that takes one array."""

    def model(x):
        return lab.ops.matmul(x * 1.0, lab.tensor(W))  # no list: TensorFlow would stack it

    return polyattr.GradientInput(model, backend=lab.name)


def both(lab, array):
    return array, lab.tensor(array)


def test_a_missing_batch_axis(lab, method):
    for x in both(lab, X[0]):
        refused(
            InputError,
            lambda x=x: method.explain(x, 0),
            "inputs of shape (3,), float32",
            "is the batch axis missing?",
            "one sample, (1, 3): pass inputs[None]",
            "the model raised",
        )


def test_a_dataset_that_is_not_batched(lab, method):
    rows = [(lab.tensor(x), int(y)) for x, y in zip(X, Y, strict=True)]
    for dataset in (rows, iter(rows), (lab.tensor(x) for x in X)):
        targets = None if dataset is rows else 0
        refused(
            InputError,
            lambda d=dataset, t=targets: method.explain(d, t),
            "is the batch axis missing?",
            "dataset.batch(32)",
            "DataLoader(dataset, batch_size=32)",
        )
    scalars = iter([np.array(1.0), np.array(2.0)])
    refused(InputError, lambda: method.explain(scalars, 0), "is a scalar", "batch axis missing?")


def test_a_dataset_that_is_read_one_by_one(method):
    refused(InputTypeError, lambda: method.explain(Row()), "pass batches", "DataLoader(inputs")


@pytest.mark.parametrize("wrap", [iter, None], ids=["a dataset", "one batch"])
def test_labels_beside_the_inputs(lab, method, wrap):
    for batch in ({"image": lab.tensor(X), "label": lab.tensor(Y)}, (lab.tensor(X), lab.tensor(Y))):
        if wrap and isinstance(batch, tuple):
            continue  # a pair of a dataset is what it should be
        name = "inputs['image']" if isinstance(batch, dict) else "inputs[0]"
        given = batch if wrap is None else wrap([batch])
        refused(
            InputError,
            lambda given=given: method.explain(given),
            f"the model takes {name} alone",
            "explain(x, y)",
            "(inputs, targets) pairs",
        )


def test_a_list_of_batches_is_no_dataset(lab, method):
    batches = [lab.tensor(X), lab.tensor(X + 1)]
    parts = "a list of 2 is 2 inputs of one model", "as a batch", "iter(batches)"
    refused(InputError, lambda: method.explain(batches, 0), *parts)
    assert lab.numpy(method.explain(iter(batches), 0)).shape == (8, 3)
    uneven = [lab.tensor(X), lab.tensor(X[:2])]
    parts = "different numbers of samples", "iter(batches)"
    refused(InputError, lambda: method.explain(uneven, 0), *parts)


def test_a_list_of_dict_batches(lab):
    def model(batch):
        return lab.ops.matmul(batch["x"], lab.tensor(W))

    method = polyattr.GradientInput(model, backend=lab.name)
    batches = [{"x": lab.tensor(X)}, {"x": lab.tensor(X)}]
    parts = "a list of 2 is 2 inputs of one model", "as a batch", "iter(batches)"
    refused(InputError, lambda: method.explain(batches, 0), *parts)
    assert lab.numpy(method.explain(iter(batches), 0)["x"]).shape == (8, 3)


def test_a_list_of_samples(lab, method):
    parts = "as a sample", "np.stack(inputs)"
    refused(InputError, lambda: method.explain([lab.tensor(x) for x in X], 0), *parts)


def test_pictures_of_different_sizes(lab):
    def model(x):
        assert len(x.shape) == 4
        return lab.ops.sum(x * x)

    method = polyattr.GradientInput(model, backend=lab.name)
    sizes = [(3, 8, 8), (3, 6, 7)]
    pictures = [lab.tensor(RNG.standard_normal(size).astype(np.float32)) for size in sizes]
    parts = "as a sample", "bring them to one size", "[method.explain(x[None]) for x in inputs]"
    refused(InputError, lambda: method.explain(pictures), *parts)
    pictures = [
        lab.tensor(RNG.standard_normal(size).astype(np.float32)) for size in [(8, 8, 3), (6, 7, 3)]
    ]
    parts = "different numbers of samples", "[method.explain(image[None]) for image in images]"
    refused(InputError, lambda: method.explain(pictures), *parts)


def test_a_function_of_one_example(lab):
    def model(x):
        assert len(x.shape) == 1, "one example"
        return lab.ops.reshape(x * x, 1)[0] * 2.0

    method = polyattr.GradientInput(model, backend=lab.name)
    kinds = InputError, ModelOutputError  # the backend of JAX may say it first
    refused(kinds, lambda: method.explain(lab.tensor(X), 0), "one example", "jax.vmap(")


@pytest.mark.parametrize("last", [False, True])
def test_channels_on_the_other_end(lab, last):
    def model(x):
        assert x.shape[1 if not last else 3] == 3, "channels"
        return lab.ops.sum(x * x)

    method = polyattr.GradientInput(model, backend=lab.name)
    x = lab.tensor(RNG.standard_normal((2, 3, 5, 6) if last else (2, 5, 6, 3)).astype(np.float32))
    shape, axes = ("(2, 5, 6, 3)", "1, -1") if last else ("(2, 3, 5, 6)", "-1, 1")
    parts = f"channels {'last' if last else 'first'}, {shape}", f"np.moveaxis(inputs, {axes})"
    refused(InputError, lambda: method.explain(x), *parts)


def test_nodes_of_a_graph_are_no_samples(lab):
    def model(x, edges):
        take = get_backend(lab.name).batch
        assert x.shape[0] == 4, "nodes"
        return lab.ops.sum(take(x, edges[0]) * take(x, edges[1]))

    method = polyattr.GradientInput(model, backend=lab.name)
    refused(
        (InputError, ModelOutputError),
        lambda: method.explain(lab.tensor(X), forward_args=(lab.tensor(EDGES),)),
        "nodes of one graph",
        "pass inputs[None]",
        "an edge index, goes in forward_args with batched=()",
    )


def test_rows_that_belong_together(lab):
    def model(x):
        return lab.ops.sum(x * lab.ops.total(x))

    method = polyattr.GradientInput(model, backend=lab.name)
    parts = "beside itself", "is the batch axis missing?", "(1, 4, 3)", "nodes of one graph"
    refused(ModelOutputError, lambda: method.explain(lab.tensor(X)), *parts)


def test_another_dtype_than_the_models(lab):
    def model(x):
        assert lab.dtype(x) == "float32", "float32 weights"
        return lab.ops.sum(x * x)

    with lab.double():
        method = polyattr.GradientInput(model, backend=lab.name)
        x = lab.tensor(X.astype(np.float64), "float64")
        parts = "inputs of shape (4, 3), float64: the model takes float32. Cast the inputs"
        refused(InputTypeError, lambda: method.explain(x), parts)


def test_token_ids_as_floats(lab):
    table = RNG.standard_normal((5, 2)).astype(np.float32)

    def model(ids):
        assert lab.dtype(ids).startswith("int"), "ids"
        return lab.ops.sum(get_backend(lab.name).batch(lab.tensor(table), ids))

    method = polyattr.GradientInput(model, backend=lab.name)
    ids = lab.tensor(np.array([1.0, 2.0, 4.0], np.float32))
    refused(InputTypeError, lambda: method.explain(ids), "whole numbers", "with input_layer")


def test_arguments_the_model_has_not(lab):
    def model(left, right):
        return lab.ops.sum(left * right)

    method = polyattr.GradientInput(model, backend=lab.name)
    x = lab.tensor(X)
    for call, given in (
        (lambda: method.explain(x), "(left, right), and is given 1 by position"),
        (lambda: method.explain({"left": x, "rigth": x}), "is given"),
        (lambda: method.explain((x, x), forward_kwargs={"mask": None}), "mask="),
    ):
        refused(InputTypeError, call, "the model takes (left, right)", given, "forward_args")


def test_complex_inputs(method):
    parts = "has dtype complex64", "real and imaginary part"
    refused(InputTypeError, lambda: method.explain(X.astype("complex64")), *parts)


@pytest.mark.parametrize(
    ("given", "said"),
    [(Table(), "inputs.to_numpy()"), (Sparse(), "inputs.toarray()")],
    ids=["a table", "a sparse matrix"],
)
def test_what_holds_an_array(method, given, said):
    refused(InputTypeError, lambda: method.explain(given, 0), "expected a", "NumPy array", said)
    refused(
        InputTypeError, lambda: method.explain({"x": given}, 0), "inputs['x'] is", "pass inputs"
    )


def test_an_error_that_no_other_form_cures_stays(lab, method):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever the framework raises
        method.explain(lab.tensor(X[:, :2]), 0)
    assert not isinstance(caught.value, polyattr.PolyattrError)
    assert "inputs of shape (2, 2)" in caught.value.__notes__[-1]
