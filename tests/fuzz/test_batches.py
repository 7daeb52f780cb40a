"""Whatever a dataset yields, from whatever iterable: joined, handed over by batch, or refused.

What the two joining entries give is compared with what the other two hand over batch by batch.
"""

import numpy as np
import pytest
from drawn_arguments import ANYTHING, arrays, broken, mostly
from expectation import allowed, assert_like, examples, leaves
from hypothesis import given
from hypothesis import strategies as st

import polyattr
from polyattr.backend.registry import get_backend

N, F, C = 2, 3, 4
MADE = {}


def explainer(lab):
    """One for all examples: also one that has refused before must work."""
    if lab.name not in MADE:
        backend = get_backend(lab.name)

        def model(*parts, **named):
            rows = [leaf for leaf in leaves([*parts, *named.values()]) if backend.is_tensor(leaf)]
            score = sum(lab.ops.sum(backend.cast(leaf, "float32") ** 2) for leaf in rows)
            classes = lab.ops.like(np.arange(1.0, C + 1)[None], score)
            return lab.ops.matmul(lab.ops.reshape(score, 1), classes)

        MADE[lab.name] = polyattr.GradientInput(model, backend=lab.name)
    return MADE[lab.name]


class Stored:
    """A dataset that can be read again, but only from its beginning to its end."""

    def __init__(self, batches):
        self.batches = batches

    def __iter__(self):
        return iter(self.batches)


FINE = arrays((N, F), (1, F), dtypes=("float32",))
ODD = st.one_of(
    arrays((N, F), (N, 2), (N,), (0, F), (), dtypes=("float32", ">f4")),
    arrays((N, F), dtypes=("float16",)),
    broken((N, F)),
    st.lists(FINE, max_size=3),
    st.dictionaries(st.sampled_from("ab"), FINE, max_size=2),
    ANYTHING,
)
INPUTS = mostly(FINE, ODD)
INDICES = st.integers(-1, C)
TARGETS = mostly(
    st.integers(0, C - 1),
    st.none()
    | st.lists(INDICES, max_size=3)
    | st.lists(st.integers(0, C - 1), min_size=N, max_size=N).map(np.array)
    | st.just(np.ones((N, C)))
    | ANYTHING.filter(lambda value: not callable(value)),
)
PAIRS = st.tuples(INPUTS, TARGETS)
BATCH = mostly(
    PAIRS, st.one_of(PAIRS.map(list), st.tuples(INPUTS), st.tuples(FINE, FINE, FINE), ODD)
)
DATASETS = st.tuples(
    st.lists(PAIRS, max_size=3) | st.lists(BATCH, max_size=3),
    st.sampled_from([list, iter, Stored, lambda batches: (batch for batch in batches)]),
)
NAMES = ("input", "target", "batch", "dataset")


@examples(30)
@given(drawn=DATASETS, targets=mostly(st.none(), TARGETS))
def test_batches(lab, drawn, targets):
    batches, kind = drawn
    made = explainer(lab)
    parts = allowed(lambda: list(made.explain_batches(kind(batches), targets)), *NAMES)
    results = allowed(lambda: list(made.attribute_batches(kind(batches), targets)), *NAMES)
    assert (parts is None) == (results is None)
    for call in (made.explain, made.attribute, made):
        joined = allowed(lambda call=call: call(kind(batches), targets), *NAMES)
        assert joined is None or parts is not None
        if joined is not None:
            values = joined.values if call == made.attribute else joined
            _assert_joined(lab, values, parts)
    for part, result in zip(parts or (), results or (), strict=True):
        _assert_joined(lab, result.values, [part])


def _assert_joined(lab, values, parts):
    columns = zip(*(leaves(part) for part in parts), strict=True)
    for leaf, column in zip(leaves(values), columns, strict=True):
        if leaf is None:
            assert set(column) == {None}
            continue
        found = lab.numpy(leaf)
        expected = np.concatenate([lab.numpy(value) for value in column])
        assert_like(found, expected)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("entry", ["explain", "attribute", "explain_batches", "attribute_batches"])
@examples(40)
@given(dataset=ANYTHING.filter(lambda value: not isinstance(value, type)))
def test_what_is_no_dataset(lab, entry, dataset):
    call = lambda: getattr(explainer(lab), entry)(dataset, 1)  # noqa: E731
    found = allowed(lambda: _all(call()), *NAMES)
    assert found is None or not isinstance(dataset, int | float | complex | str | bytes)


def _all(found):
    return list(found) if hasattr(found, "__next__") else found
