"""What a model takes beside its inputs: gathered with the rows where it belongs to samples."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.backend.registry import get_backend

RNG = np.random.default_rng(211)
X = RNG.standard_normal((5, 3))
SCALE = RNG.standard_normal(5)
OFFSET = RNG.standard_normal((5, 3))
SHARED = np.array([1.0, -2.0, 3.0])


def body(ops, x, scale, offset=None, weight=None, power=2):
    """(sum of w (x + o)^p) times the sample's own scale."""
    x = x if offset is None else x + offset
    y = x if power == 1 else x * x
    return ops.sum(y if weight is None else y * weight) * scale


def gradient(x, scale, offset=0.0, weight=1.0, power=2):
    slope = 1 + 0 * x if power == 1 else 2 * (x + offset)
    return slope * weight * scale[:, None]


@pytest.fixture(scope="module")
def method(lab):
    return polyattr.GradientInput(lab.function(body), backend=lab.name, batch_size=2)


def native(lab, *arrays):
    return tuple(lab.tensor(array) for array in arrays)


CALLS = {
    "args": (lambda lab: {"forward_args": native(lab, SCALE)}, {}),
    "a list of args": (lambda lab: {"forward_args": [lab.tensor(SCALE)]}, {}),
    "NumPy": (lambda lab: {"forward_args": (SCALE.astype(np.float32),)}, {}),
    "kwargs": (lambda lab: {"forward_kwargs": {"scale": lab.tensor(SCALE)}}, {}),
    "both": (
        lambda lab: {
            "forward_args": native(lab, SCALE, OFFSET),
            "forward_kwargs": {"weight": lab.tensor(SHARED)},
        },
        {"offset": OFFSET, "weight": SHARED},
    ),
    "something fixed": (
        lambda lab: {"forward_args": (*native(lab, SCALE), None, None, 1)},
        {"power": 1},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_every_sample_has_its_own(lab, method, name):
    call, terms = CALLS[name]
    result = method.attribute(lab.tensor(X), **call(lab))
    assert_close(lab.numpy(result.values), X * gradient(X, SCALE, **terms))
    y = X + terms.get("offset", 0.0)
    y = (y if terms.get("power") == 1 else y * y) * terms.get("weight", 1.0)
    assert_close(result.scores, y.sum(axis=1) * SCALE)


def test_batched_by_position_and_name(lab, method):
    scale, offset, weight = native(lab, SCALE, OFFSET, SHARED)
    expected = X * gradient(X, SCALE, OFFSET, SHARED)
    everything = {"forward_args": (scale, offset), "forward_kwargs": {"weight": weight}}
    for batched in ((0, 1), [1, 0], {0, 1}, frozenset({0, 1})):
        found = method.explain(lab.tensor(X), batched=batched, **everything)
        assert_close(lab.numpy(found), expected)
    named = {"scale": scale, "offset": offset, "weight": weight}
    for batched in (("scale", "offset"), {"offset", "scale"}):
        found = method.explain(lab.tensor(X), forward_kwargs=named, batched=batched)
        assert_close(lab.numpy(found), expected)
    found = method.explain(lab.tensor(X), forward_args=(scale,), batched=0)
    assert_close(lab.numpy(found), X * gradient(X, SCALE))
    found = method.explain(lab.tensor(X), forward_kwargs={"scale": scale}, batched="scale")
    assert_close(lab.numpy(found), X * gradient(X, SCALE))


def test_a_square_array_is_what_batched_says(lab):
    """(N, N) with as many features as samples: a row for each, or a matrix for all."""
    x, square = RNG.standard_normal((3, 3)), RNG.standard_normal((3, 3))

    def product(x, matrix):
        if len(matrix.shape) == 2 and matrix.shape[0] == 3 and not product.per_sample:
            return lab.ops.sum(lab.ops.matmul(x, matrix))
        return lab.ops.sum(x * matrix)

    shared, per_sample = np.tile(square.sum(axis=1), (3, 1)), square
    arguments = {"forward_args": native(lab, square)}
    for batched, expected in ((False, shared), (True, per_sample), (None, per_sample)):
        product.per_sample = batched is not False
        method = polyattr.GradientInput(product, backend=lab.name)
        found = method.explain(lab.tensor(x), batched=batched, **arguments)
        assert_close(lab.numpy(found), x * expected)


def test_batched_true_leaves_flags_alone(lab, method):
    given = {"forward_args": (*native(lab, SCALE), None), "forward_kwargs": {"power": 1}}
    found = method.explain(lab.tensor(X), batched=True, **given)
    assert_close(lab.numpy(found), X * gradient(X, SCALE, power=1))


def test_a_dataset_shares_what_is_not_said_to_be_batched(lab, method):
    batches = [(lab.tensor(X[:3]), None), (lab.tensor(X[3:]), None)]
    given = {"weight": lab.tensor(SHARED), "scale": 2.0}
    # The first batch has as many samples as the weights have entries.
    found = method.explain(batches, forward_kwargs=given)
    assert_close(lab.numpy(found), X * gradient(X, np.full(5, 2.0), weight=SHARED))


def test_companions_of_a_dataset_travel_in_its_batches(lab):
    method = polyattr.GradientInput(lab.function(body), backend=lab.name, batch_size=2)
    ids = np.arange(1, 6).astype(np.int32)
    cast = get_backend(lab.name).cast
    method = polyattr.GradientInput(
        lambda x, i: lab.ops.sum(x * x) * cast(i, "float32"), backend=lab.name, batch_size=2
    )
    batches = (((lab.tensor(X[a:b]), ids[a:b]), None) for a, b in [(0, 2), (2, 5)])
    found, none = method.explain(batches)
    assert none is None
    assert_close(lab.numpy(found), 2 * X**2 * ids[:, None])


METHODS = {
    "IntegratedGradients": {"steps": 5, "rule": "simpson"},
    "SmoothGrad": {"nb_samples": 4},
    "VarGrad": {"nb_samples": 4, "noise": 0.5},
}


def explained(lab, name, batch_size, order):
    """Attributions of the samples in an order, sorted back."""
    made = getattr(polyattr, name)(
        lab.function(body), backend=lab.name, batch_size=batch_size, **METHODS[name]
    )
    x, scale, offset = native(lab, X[order], SCALE[order], OFFSET[order])
    found = made.explain(x, forward_args=(scale, offset))
    return lab.numpy(found)[np.argsort(order)]


@pytest.mark.parametrize("name", METHODS)
def test_neither_batch_size_nor_order_matters(lab, name):
    order = np.array([3, 0, 4, 1, 2])
    whole = explained(lab, name, None, np.arange(5))
    for batch_size in (1, 2, 7):
        assert_close(explained(lab, name, batch_size, order), whole, 2e-6)
    if name == "IntegratedGradients":
        # Along t x the gradient 2 (t x + o) s has the mean (x + 2 o) s.
        assert_close(whole, X * (X + 2 * OFFSET) * SCALE[:, None])


def test_a_sample_alone_has_the_attribution_it_has_among_others(lab, method):
    for i in (0, 3):
        x, scale, offset = native(lab, X[i : i + 1], SCALE[i : i + 1], OFFSET[i : i + 1])
        found = method.explain(x, forward_args=(scale, offset))
        assert_close(lab.numpy(found), (X * gradient(X, SCALE, OFFSET))[i : i + 1])


def test_new_values_trace_nothing(lab):
    model, counter = lab.counting(lambda ops, pair: body(ops, *pair))
    method = polyattr.IntegratedGradients(
        lambda x, scale: model(Pair(x, scale)),
        backend=lab.name,
        steps=2,
        rule="midpoint",
        batch_size=4,
    )
    x = lab.tensor(X)
    method.attribute(x, forward_args=native(lab, SCALE))
    counter.reset()
    for factor in (2.0, -3.0):
        found = method.explain(x, forward_args=native(lab, factor * SCALE))
        assert_close(lab.numpy(found), X**2 * factor * SCALE[:, None])
    tiles = -(-5 * 2 // 4)
    assert counter.calls == 2 * tiles
    assert counter.bodies == (0 if lab.compiled else 2 * tiles)


class Pair(tuple):
    """Several tensors that say how many rows they have, as `Lab.counting` asks."""

    __slots__ = ()

    def __new__(cls, *parts):
        return super().__new__(cls, parts)

    @property
    def shape(self):
        return self[0].shape


def test_an_operator_sees_them_too(lab):
    def operator(model, inputs, targets):
        return model(inputs) * targets

    method = polyattr.GradientInput(
        lab.function(body), backend=lab.name, batch_size=2, operator=operator
    )
    targets = np.array([1.0, -1.0, 2.0, 0.5, 3.0], np.float32)
    found = method.explain(lab.tensor(X), targets, forward_args=native(lab, SCALE))
    assert_close(lab.numpy(found), X * gradient(X, SCALE * targets))


def test_the_users_arguments_come_back_as_they_were(lab, method):
    scale = SCALE.astype(np.float32)
    args, kwargs = [scale], {"weight": lab.tensor(SHARED), "offset": None}
    before = scale.copy(), list(args), dict(kwargs)
    method.explain(lab.tensor(X), forward_args=args, forward_kwargs=kwargs)
    assert (scale == before[0]).all()
    assert args[0] is scale
    assert list(kwargs) == list(before[2])
    assert kwargs["weight"] is before[2]["weight"]


def test_integers_and_booleans_keep_their_kind(lab):
    seen = []
    cast = get_backend(lab.name).cast

    def model(x, ids, mask):
        seen.append((lab.dtype(ids), lab.dtype(mask)))
        return lab.ops.sum(x * x * cast(mask, "float32")) * cast(ids, "float32")

    ids, mask = np.arange(5).astype(np.int32), OFFSET > 0
    method = polyattr.GradientInput(model, backend=lab.name, batch_size=2)
    found = method.explain(lab.tensor(X), forward_args=(ids,), forward_kwargs={"mask": mask})
    assert_close(lab.numpy(found), 2 * X**2 * mask * ids[:, None])
    assert set(seen) == {("int32", "bool")}
