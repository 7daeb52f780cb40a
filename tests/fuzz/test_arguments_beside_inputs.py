"""Calls with arguments beside the inputs, layers and tasks: finite attributions or a named refusal.

A model that ignores what it is given would accept anything, so those here use it where they can.
"""

import numpy as np
import pytest
from drawn_arguments import ANYTHING, LAYER, LAYERS, TASKS, arrays, broken, mostly
from expectation import allowed, assert_like, examples, leaves
from hypothesis import given
from hypothesis import strategies as st
from labs.numpy_network import random_network

import polyattr
from polyattr.backend.registry import get_backend

N, F, C = 2, 3, 4
X = np.array([[1.0, -2.0, 0.5], [0.5, 3.0, -1.0]], np.float32)
MADE = {}


def once(lab, name, make):
    """One explainer per name for all examples: also one that has refused before must work."""
    key = lab.name, name
    if key not in MADE:
        MADE[key] = make()
    return MADE[key]


def takes_anything(lab):
    """Scores x, times every number and every floating array of rows it is given."""
    backend = get_backend(lab.name)

    def model(x, *args, **kwargs):
        score = lab.ops.sum(x * x)
        for value in leaves([*args, *kwargs.values()]):
            if backend.is_tensor(value) and tuple(value.shape[:1]) == tuple(x.shape[:1]):
                score = score + lab.ops.sum(x) * _row_sums(backend, value)
            elif isinstance(value, int | float) and abs(value) < 100:
                score = score * (1.0 + float(value))
        return score

    return polyattr.IntegratedGradients(model, backend=lab.name, steps=2)


def _row_sums(backend, value):
    real = backend.cast(value, "float32")
    return backend.row_sums(real * 1.0) if len(value.shape) > 1 else real


ROWS = arrays((N,), (N, F), (N, N), (N, 1), (3,), (), dtypes=("float32", "int32", "uint8", "bool"))
VALUE = st.one_of(
    ROWS,
    ROWS,
    st.integers(-3, 3),
    st.floats(-2, 2),
    st.none() | st.booleans() | st.text(max_size=4),
    st.lists(ROWS, max_size=2),
    st.dictionaries(st.sampled_from("ab"), ROWS, max_size=2),
)
NAMES = ("mask", "scale", "mode")
ARGS = mostly(st.lists(mostly(VALUE), max_size=2) | st.lists(VALUE, max_size=2).map(tuple))
KWARGS = mostly(st.none() | st.dictionaries(st.sampled_from(NAMES), mostly(VALUE), max_size=2))
KEY = st.sampled_from((*NAMES, "masks", 0, 1, -1, True, 2**70))
BATCHED = mostly(
    st.none() | st.booleans() | KEY | st.lists(KEY, max_size=2) | st.sets(KEY, max_size=2)
)


@pytest.mark.parametrize("entry", ["explain", "attribute"])
@examples(60)
@given(args=ARGS, kwargs=KWARGS, batched=BATCHED, native=st.booleans())
def test_forward_arguments(lab, entry, args, kwargs, batched, native):
    if native and isinstance(args, list | tuple):
        args = type(args)(_native(lab, value) for value in args)
    made = once(lab, "anything", lambda: takes_anything(lab))
    call = getattr(made, entry)
    options = {"forward_args": args, "forward_kwargs": kwargs, "batched": batched}
    found = allowed(lambda: call(lab.tensor(X), **options), "forward_", "batched")
    if found is not None:
        assert_like(lab.numpy(found.values if entry == "attribute" else found), X)


def _native(lab, value):
    if isinstance(value, np.ndarray) and value.dtype.kind in "fiub":
        return lab.tensor(value, str(value.dtype))
    return value


FLAT = st.one_of(
    arrays((N, F), dtypes=("float32",)),
    arrays((N, F), (N, 2), (3,), dtypes=("int32", "bool", "uint8")),
    st.none() | st.booleans() | st.text(max_size=3) | st.integers(-2, 2),
    broken((N, F)),
)
MIXED = st.one_of(
    st.lists(FLAT, max_size=3).map(tuple),
    st.lists(FLAT, max_size=3),
    st.dictionaries(st.sampled_from("abc"), FLAT | st.lists(FLAT, max_size=2), max_size=3),
)


@pytest.mark.parametrize("entry", ["explain", "attribute"])
@examples(40)
@given(inputs=MIXED)
def test_inputs_of_every_kind(lab, entry, inputs):
    backend = get_backend(lab.name)

    def make():
        def model(*parts, **named):
            given = leaves([*parts, *named.values()])
            rows = [leaf for leaf in given if backend.is_tensor(leaf) and len(leaf.shape) == 2]
            floats = [leaf for leaf in rows if backend.dtype(leaf) == "float32"]
            return sum(lab.ops.sum(leaf * leaf) for leaf in floats)

        return polyattr.GradientInput(model, backend=lab.name)

    made = once(lab, "mixed", make)
    found = allowed(lambda: getattr(made, entry)(inputs), "input", "batch", "dataset", "target")
    if found is None or _pairs(inputs):
        return
    values = found.values if entry == "attribute" else found
    assert type(values) is type(inputs)
    for value, leaf in zip(leaves(values), leaves(inputs), strict=True):
        floating = isinstance(leaf, np.ndarray) and leaf.dtype == np.float32
        if floating:
            assert_like(lab.numpy(value), leaf)
        else:
            assert value is None


def _pairs(inputs):
    return isinstance(inputs, list) and all(isinstance(item, tuple) for item in inputs)


BASELINES = st.one_of(
    st.floats(-2, 2),
    arrays((F,), (N, F), (5,), (N, 5), (1, 5), (N, C), (4,)),
    broken((5,)),
    st.dictionaries(st.sampled_from(LAYERS), arrays((5,), (C,)), max_size=2),
    ANYTHING.filter(lambda value: not isinstance(value, type)),
)


@pytest.mark.parametrize("at_input", [False, True])
@pytest.mark.parametrize("layer", ["dense0", ["activation0"]], ids=str)
@examples(30)
@given(baselines=BASELINES, called=st.booleans())
def test_baselines_of_layers(lab, layer, at_input, baselines, called):
    made = once(
        lab,
        f"{layer} {at_input}",
        lambda: polyattr.IntegratedGradients(
            lab.network(random_network(5, F, 5, C)),
            input_layer=layer,
            attribute_to_layer_input=at_input,
            steps=2,
        ),
    )
    start = (lambda x: baselines) if called else baselines
    found = allowed(lambda: made.explain(lab.tensor(X), 1, baselines=start), "baseline")
    if found is not None:
        values = found["activation0"] if isinstance(layer, list) else found
        width = F if at_input and layer == "dense0" else 5
        assert_like(lab.numpy(values), np.empty((N, width)))


@examples(12)
@given(scored=mostly(LAYER), entered=mostly(LAYER), at_input=mostly(st.booleans()))
def test_layers(lab, scored, entered, at_input):
    model = once(lab, "network", lambda: lab.network(random_network(6, F, 5, C)))
    settings = {
        "output_layer": scored,
        "input_layer": entered,
        "attribute_to_layer_input": at_input,
    }
    found = allowed(
        lambda: polyattr.GradientInput(model, **settings).explain(lab.tensor(X), 1),
        *settings,
        "the score does not depend on",
        "target",
    )
    if found is not None:
        assert np.isfinite(lab.numpy(found)).all()
        assert len(found) == N


SHAPES = {(C,): "classes", (1,): "one class", (N, 2): "pixels", (2, 7): "boxes"}
GOALS = st.one_of(
    st.none(),
    st.integers(-1, C),
    st.lists(st.integers(0, C), min_size=N, max_size=N),
    arrays((N, C), (N, N, 2), (N, 2, 7), (N, 3, 7), (N, 7), (N,), dtypes=("float32", "float64")),
    st.sampled_from(
        [np.zeros((N, 3, 7)), np.ones((N, 2, 7)), np.zeros((N, N, 2)), np.ones((N, N, 2))]
    ),
    st.just(np.tile([0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0], (N, 1))),
    broken((N, 7)) | broken((N, N, 2)),
    ANYTHING.filter(lambda value: not callable(value)),
)


@pytest.mark.parametrize("shape", SHAPES, ids=SHAPES.values())
@pytest.mark.parametrize("task", TASKS)
@examples(15)
@given(targets=GOALS)
def test_targets_of_tasks(lab, shape, task, targets):
    width = int(np.prod(shape))
    weights = np.random.default_rng(width).standard_normal((F, width))

    def make():
        model = lab.function(
            lambda ops, x: ops.reshape(ops.tanh(ops.matmul(x, ops.like(weights, x))), *shape)
        )
        return polyattr.GradientInput(model, backend=lab.name, operator=task)

    made = once(lab, (task, shape), make)
    found = allowed(lambda: made.explain(lab.tensor(X), targets), "target", "operator", "outputs")
    if found is not None:
        assert_like(lab.numpy(found), X)
