"""Whatever a call is given: finite attributions in the shape of the inputs, or a named refusal."""

import dataclasses

import numpy as np
import pytest
from drawn_arguments import ANYTHING, arrays, broken, mostly
from expectation import allowed, assert_like, examples, leaves
from hypothesis import given
from hypothesis import strategies as st

import polyattr

N, F, C = 2, 3, 4
WEIGHTS = np.linspace(-1, 1, F * C).reshape(F, C)
X = np.array([[1.0, -2.0, 0.0], [0.5, 3.0, -1.0]], np.float32)
MADE = {}


def explainer(lab, method="IntegratedGradients"):
    """One explainer per method for all examples: also one that has refused before must work."""
    key = lab.name, method
    if key not in MADE:
        model = lab.function(lambda ops, x: ops.tanh(ops.matmul(x, ops.like(WEIGHTS, x))))
        own = {"steps": 3} if method == "IntegratedGradients" else {}
        MADE[key] = getattr(polyattr, method)(model, backend=lab.name, **own)
    return MADE[key]


INDICES = st.integers(-2, C + 1)
TARGETS = st.one_of(
    st.none(),
    INDICES,
    st.lists(INDICES, max_size=N + 1),
    st.lists(INDICES, max_size=N + 1).map(tuple),
    st.lists(INDICES, max_size=N + 1).map(np.array),
    st.lists(st.integers(0, C), min_size=N, max_size=N).map(
        lambda given: np.array(given, np.uint8)
    ),
    st.sampled_from([np.ones((N, C)), np.eye(C)[:N].astype(int), np.ones((N, C), bool)]),
    st.sampled_from([np.full((N, C), np.nan), np.full((N, C), 1e300), np.ones((C, N)), 2**70]),
    ANYTHING.filter(lambda value: not callable(value)),
)


@pytest.mark.parametrize("entry", ["explain", "attribute", "__call__"])
@examples(50)
@given(targets=TARGETS, native=st.booleans())
def test_targets(lab, entry, targets, native):
    numeric = isinstance(targets, np.ndarray) and targets.dtype.kind in "if"
    if native and numeric and not np.abs(targets).max(initial=0) > 1e30:  # float32 holds no more
        targets = lab.tensor(targets)
    made = explainer(lab)
    found = allowed(lambda: getattr(made, entry)(lab.tensor(X), targets), "target")
    if found is not None:
        assert_like(lab.numpy(found.values if entry == "attribute" else found), X)


BASELINES = st.one_of(
    st.floats(-3, 3),
    arrays((), (F,), (1, F), (N, F), (N,), (F, 1), (N, F, 1), (0,)),
    broken((F,)),
    st.sampled_from([1e300, np.float64(1e39), [0.0, 0.0, 0.0], (0.0,), {"a": 0.0}]),
    ANYTHING.filter(lambda value: not isinstance(value, type)),
)


@pytest.mark.parametrize("where", ["baselines", "baseline_value"])
@examples(50)
@given(given=BASELINES, native=st.booleans(), called=st.booleans())
def test_baselines(lab, where, given, native, called):
    if native and isinstance(given, np.ndarray) and given.dtype.kind == "f":
        given = lab.tensor(given.astype(np.float32))
    start = (lambda x: given) if called else given
    made = explainer(lab)
    if where == "baselines":
        call = lambda: made.explain(lab.tensor(X), 1, baselines=start)  # noqa: E731
    else:
        made = dataclasses.replace(made, baseline_value=start)
        call = lambda: made.explain(lab.tensor(X), 1)  # noqa: E731
    found = allowed(call, where)
    if found is not None:
        assert_like(lab.numpy(found), X)


@examples(20)
@given(given=ANYTHING.filter(lambda value: value is not None))
def test_baselines_for_a_method_without(lab, given):
    call = lambda: explainer(lab, "Saliency").explain(lab.tensor(X), 1, baselines=given)  # noqa: E731
    assert allowed(call, "baselines") is None


FINE = arrays((N, F), dtypes=("float32",))  # the model adds them up
INPUTS = st.one_of(
    arrays((N, F)),
    arrays((N, F)),
    arrays((), (0,), (0, F), (N, 0)),
    broken((N, F)),
    st.lists(FINE, max_size=2),
    st.lists(FINE, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(("a", "x", 1, None)), FINE, max_size=2),
    st.lists(st.tuples(FINE, st.integers(0, C - 1)), min_size=1, max_size=2),
    ANYTHING,
)


@pytest.mark.parametrize("entry", ["explain", "attribute"])
@examples(40)
@given(inputs=INPUTS, native=st.booleans())
def test_inputs(lab, entry, inputs, native):
    if native and isinstance(inputs, np.ndarray) and inputs.dtype in (np.float32, np.float16):
        inputs = lab.tensor(inputs)
    made = _any_input(lab)
    found = allowed(lambda: getattr(made, entry)(inputs), "input", "batch", "dataset", "target")
    if found is None:
        return
    values = found.values if entry == "attribute" else found
    if hasattr(inputs, "shape"):
        assert_like(lab.numpy(values), inputs)


def _any_input(lab):
    """Scores anything made of arrays."""
    key = lab.name, "any input"
    if key not in MADE:

        def model(*parts, **named):
            return sum(lab.ops.sum(leaf * leaf) for leaf in leaves([*parts, *named.values()]))

        MADE[key] = polyattr.GradientInput(model, backend=lab.name)
    return MADE[key]


@examples(30)
@given(keep=mostly(st.booleans()))
def test_kept_inputs(lab, keep):
    call = explainer(lab).attribute
    found = allowed(lambda: call(lab.tensor(X), 1, keep_inputs=keep), "keep_inputs")
    if found is not None:
        assert (found.inputs is not None) == bool(keep)


@examples(60)
@given(names=mostly(st.none()))
def test_names(lab, names):
    call = explainer(lab).attribute
    found = allowed(lambda: call(lab.tensor(X), 1, names=names), "names")
    assert found is None or names is None or not names


@examples(60)
@given(
    field=st.sampled_from(["features", "channels", "classes", "tokens", "rows"]),
    value=mostly(st.none()),
)
def test_fields_of_names(field, value):
    found = allowed(lambda: polyattr.Names(**{field: value}), f"names.{field}")
    assert found is None or hash(found.rows) is not None


@examples(30)
@given(progress=mostly(st.booleans()))
def test_progress(lab, progress):
    found = allowed(lambda: explainer(lab).explain(lab.tensor(X), 1, progress=progress), "progress")
    if found is not None:
        assert_like(lab.numpy(found), X)
