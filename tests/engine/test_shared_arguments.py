"""Arguments whose first axis happens to have as many entries as there are samples."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr import InputError
from polyattr.backend.registry import get_backend


@pytest.fixture(params=["host", "device"], autouse=True)
def place(request, lab, monkeypatch):
    """The CPU, and the CPU taken for an accelerator, on which less may be tried."""
    if request.param == "device":
        backend = type(get_backend(lab.name))
        monkeypatch.setattr(backend, "accelerated", lambda *_: True)
    return request.param


RNG = np.random.default_rng(441)
EDGES = np.array([[0, 1, 2, 3], [1, 2, 3, 0]], np.int32)


def along_edges(lab):
    """Sum over edges of x_source^2 x_target: node features (R, 4), one graph for all rows."""
    take = get_backend(lab.name).batch

    def model(x, edges):
        rows = lab.ops.transpose(x)  # nodes first
        return lab.ops.total(take(rows, edges[0]) * take(rows, edges[0]) * take(rows, edges[1]))

    return model


def edge_gradient(x):
    found = np.zeros_like(x)
    for a, b in EDGES.T:
        found[:, a] += 2 * x[:, a] * x[:, b]
        found[:, b] += x[:, a] ** 2
    return found


@pytest.mark.parametrize("n", [1, 2, 3, 5])
@pytest.mark.parametrize("where", ["forward_args", "forward_kwargs", "inputs"])
def test_an_edge_index_of_as_many_rows_as_there_are_graphs(lab, n, where):
    x = RNG.standard_normal((n, 4))
    method = polyattr.GradientInput(along_edges(lab), backend=lab.name)
    edges = lab.tensor(EDGES)
    given = {"forward_args": (edges,), "forward_kwargs": {"edges": edges}}
    if where == "inputs":
        found, none = method.explain((lab.tensor(x), edges))
        assert none is None
    else:
        found = method.explain(lab.tensor(x), **{where: given[where]})
    assert_close(lab.numpy(found), x * edge_gradient(x), 1e-5)


def test_paths_and_tiles_of_two_graphs(lab):
    x = RNG.standard_normal((2, 4))
    edges = lab.tensor(EDGES)
    for batch_size in (1, 3, None):
        method = polyattr.IntegratedGradients(
            along_edges(lab),
            backend=lab.name,
            steps=4,
            rule="gauss-legendre",
            batch_size=batch_size,
        )
        result = method.attribute(lab.tensor(x), forward_args=(edges,))
        assert_close(lab.numpy(result.values), x * edge_gradient(x) / 3, 1e-5)
        assert (np.abs(result.completeness_gap) < 1e-5).all()


MASK = np.tril(np.ones((4, 4))) * np.arange(1, 5)


def masked(lab):
    """(R, T) through a matrix (T, T) that all rows share."""
    return lambda x, mask: lab.ops.sum(lab.ops.matmul(x * x, mask))


@pytest.mark.parametrize("t", [2, 3, 4])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_a_square_mask_for_any_number_of_samples(lab, n, t):
    x, mask = RNG.standard_normal((n, t)), MASK[:t, :t]
    method = polyattr.GradientInput(masked(lab), backend=lab.name, batch_size=3)
    found = method.explain(lab.tensor(x), forward_args=(lab.tensor(mask),))
    assert_close(lab.numpy(found), 2 * x * x * mask.sum(axis=1), 1e-5)


def test_two_of_three_are_shared(lab):
    x, table, scale = (RNG.standard_normal(s) for s in ((3, 3), (3, 3), (3,)))
    edges = np.array([2, 0, 1], np.int32)
    take = get_backend(lab.name).batch

    def model(x, table, scale, order):
        return lab.ops.sum(lab.ops.matmul(x * x, take(table, order))) * scale

    method = polyattr.GradientInput(model, backend=lab.name)
    given = tuple(lab.tensor(a) for a in (table, scale, edges))
    found = method.explain(lab.tensor(x), forward_args=given)
    expected = 2 * x * x * table[edges].sum(axis=1) * scale[:, None]
    assert_close(lab.numpy(found), expected, 1e-5)


def test_rows_stay_rows(lab):
    def model(x, offset, scale):
        return lab.ops.sum((x + offset) * (x + offset)) * scale

    for n in (1, 2, 3, 4):
        x, offset, scale = (RNG.standard_normal(s) for s in ((n, 3), (n, 3), (n,)))
        method = polyattr.GradientInput(model, backend=lab.name, batch_size=2)
        given = (lab.tensor(offset), lab.tensor(scale))
        found = method.explain(lab.tensor(x), forward_args=given)
        assert_close(lab.numpy(found), 2 * x * (x + offset) * scale[:, None], 1e-5)


def test_one_explainer_for_both(lab):
    """As many graphs as rows of the index in one call, not in the next, and again."""
    method = polyattr.GradientInput(along_edges(lab), backend=lab.name)
    for n in (2, 3, 2, 4):
        x = RNG.standard_normal((n, 4))
        found = method.explain(lab.tensor(x), forward_args=(lab.tensor(EDGES),))
        assert_close(lab.numpy(found), x * edge_gradient(x), 1e-5)


def test_what_cannot_be_told_is_asked(lab, place):
    """Outputs that follow the number of rows: neither way gives what a plain call gives.

    On a device the first way that other orders of the samples allow is the only one: with it the
    model fails as one that counts rows.
    """

    def model(x, weights):
        return lab.ops.sum(x * x) * float(x.shape[0]) * lab.ops.sum(weights[:1])

    method = polyattr.GradientInput(model, backend=lab.name)
    x, weights = RNG.standard_normal((2, 3)), RNG.standard_normal((2, 3))
    if place == "device":
        with pytest.raises(polyattr.ModelOutputError, match="among 2 rows"):
            method.explain(lab.tensor(x), forward_args=(lab.tensor(weights),))
        return
    with pytest.raises(InputError) as caught:
        method.explain(lab.tensor(x), forward_args=(lab.tensor(weights),))
    for part in ("forward_args[0] of shape (2, 3)", "samples, 2", "batched=()"):
        assert part in str(caught.value)


def test_what_runs_both_ways_is_told_by_a_plain_call(lab):
    x, weights = RNG.standard_normal((3, 3)), RNG.standard_normal((3, 3))

    def model(x, weights):
        return lab.ops.sum(x * x * lab.ops.total(weights))

    method = polyattr.GradientInput(model, backend=lab.name, batch_size=1)
    given = {"forward_args": (lab.tensor(weights),)}
    whole = 2 * x * x * weights.sum(axis=0)
    for batched in ((), None):
        found = method.explain(lab.tensor(x), batched=batched, **given)
        assert_close(lab.numpy(found), whole, 1e-5)


def test_a_pure_function_shares_what_a_call_shares(lab):
    x = RNG.standard_normal((2, 4))
    method = polyattr.GradientInput(along_edges(lab), backend=lab.name)
    function = method.function(lab.tensor(x), forward_args=(lab.tensor(EDGES),))
    assert_close(lab.numpy(function(lab.tensor(x))), x * edge_gradient(x), 1e-5)
