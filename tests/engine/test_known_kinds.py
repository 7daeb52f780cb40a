"""Calls of a kind that is known read and plan nothing again, and answer as new explainers would."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from labs.closeness import assert_close
from labs.numpy_network import one_hot, random_network

import polyattr
from polyattr.engine import blocks
from polyattr.explainer.binding import bound

FEATURES, CLASSES = 3, 4
METHODS = {
    "GradientInput": {},
    "Saliency": {},
    "IntegratedGradients": {"steps": 6},
    "SmoothGrad": {"nb_samples": 4, "noise": 0.1},
}


NETWORK = random_network(7, FEATURES, 6, CLASSES, activation="tanh")


INDICES = {
    "int": lambda lab: 1,
    "array": lambda lab: np.array([0, 3]),
    "number of NumPy's": lambda lab: np.int16(1),
    "list": lambda lab: [0, 3],
    "the framework's own": lambda lab: lab.tensor(np.array([0, 3], np.int32)),
}


def network(lab):
    return lab.network(NETWORK, softmax=False)


def predicted(x):
    return np.argmax(NETWORK.outputs(x), axis=1)


def drawn(seed, n=2):
    return np.random.default_rng(seed).standard_normal((n, FEATURES)).astype(np.float32)


def fails(*_, **__):
    raise AssertionError("read or planned again")


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("how", INDICES)
def test_the_third_call_reads_and_plans_nothing(lab, name, how, monkeypatch):
    targets = INDICES[how](lab)
    method = getattr(polyattr, name)(network(lab), **METHODS[name])
    for seed in (1, 2):
        method.explain(lab.tensor(drawn(seed)), targets)
    wanted = lab.numpy(method.explain(lab.tensor(drawn(3)), targets))
    for owner, function in (
        (bound, "read_inputs"),
        (bound, "read_starts"),
        (blocks, "plan_pieces"),
        (blocks, "plan_program"),
    ):
        monkeypatch.setattr(owner, function, fails)
    found = method.explain(lab.tensor(drawn(3)), targets)
    np.testing.assert_array_equal(lab.numpy(found), wanted)
    with pytest.raises(AssertionError, match="again"):
        method.explain(lab.tensor(drawn(3)), 2)  # another target is another kind


KINDS = {
    "one": lambda lab, x: (lab.tensor(x), 1),
    "another": lambda lab, x: (lab.tensor(x), 3),
    "each its own": lambda lab, x: (lab.tensor(x), np.arange(len(x)) % CLASSES),
    "another each": lambda lab, x: (lab.tensor(x), (np.arange(len(x)) + 2) % CLASSES),
    "listed": lambda lab, x: (lab.tensor(x), [3] * len(x)),
    "an index in a tuple": lambda lab, x: (lab.tensor(x), (3,)),
    "truths": lambda lab, x: (lab.tensor(x), [True] * len(x)),
    "hidden ones": lambda lab, x: (lab.tensor(x), np.ma.array([3] * len(x), mask=[1] * len(x))),
    "the framework's own": lambda lab, x: (lab.tensor(x), lab.tensor(np.full(len(x), 3, "i4"))),
    "the framework's own weights": lambda lab, x: (
        lab.tensor(x),
        lab.tensor(np.ones((len(x), CLASSES), np.float32)),
    ),
    "small whole numbers": lambda lab, x: (lab.tensor(x), np.ones(len(x), np.int8)),
    "predicted": lambda lab, x: (lab.tensor(x), None),
    "weights": lambda lab, x: (lab.tensor(x), np.ones((len(x), CLASSES), np.float32)),
    "callable": lambda lab, x: (lab.tensor(x), lambda z: z[:, 0]),
    "one sample": lambda lab, x: (lab.tensor(x[:1]), 1),
    "from NumPy": lambda lab, x: (x, 1),
    "in a tuple": lambda lab, x: ((lab.tensor(x),), 1),
    "no class": lambda lab, x: (lab.tensor(x), CLASSES),
    "a negative class": lambda lab, x: (lab.tensor(x), -1),
    "another number": lambda lab, x: (lab.tensor(x), np.zeros(len(x) + 1, np.int64)),
    "not finite": lambda lab, x: (lab.tensor(np.where(x > x.mean(), np.inf, x)), 1),
    "no number": lambda lab, x: (lab.tensor(x * np.nan), 1),
}


def answered(lab, method, call, x):
    """The values, or the error in words."""
    try:
        found = method.explain(*call(lab, x))
    except polyattr.PolyattrError as error:
        return type(error), str(error)
    return lab.numpy(found[0] if isinstance(found, tuple) else found)


@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")  # told once by each explainer
@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_after_one_that_is_known(lab, kind):
    model = network(lab)
    method, new = polyattr.GradientInput(model), polyattr.GradientInput(model)
    for seed in range(3):
        method.explain(lab.tensor(drawn(seed)), 1)
    for seed in range(3, 7):  # with other classes predicted
        found, wanted = (answered(lab, m, KINDS[kind], drawn(seed)) for m in (method, new))
        if isinstance(wanted, tuple):
            assert found == wanted
            continue
        x = drawn(seed)[: len(wanted)]
        targets = KINDS[kind](lab, x)[1]
        classes = predicted(x) if targets is None else targets
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)
        if isinstance(classes, int) or getattr(classes, "dtype", None) in (np.int64, np.int8):
            weights = one_hot(np.broadcast_to(classes, len(x)), CLASSES)
            assert_close(found, x * NETWORK.gradient(x, weights))


@pytest.mark.filterwarnings("ignore::polyattr.QuestionWarning")  # told once by each explainer
@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(sorted(METHODS)),
    course=st.lists(
        st.tuples(st.sampled_from(sorted(KINDS)), st.integers(0, 3)), min_size=3, max_size=8
    ),
)
def test_whatever_came_before_the_answer_is_that_of_a_new_explainer(lab, name, course):
    model = network(lab)
    made = getattr(polyattr, name)
    method = made(model, **METHODS[name])
    for kind, seed in [step for step in course for _ in range(2)]:
        found = answered(lab, method, KINDS[kind], drawn(seed))
        wanted = answered(lab, made(model, **METHODS[name]), KINDS[kind], drawn(seed))
        if isinstance(wanted, tuple):
            assert found == wanted
        else:
            np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", METHODS)
def test_a_known_kind_is_asked_of_the_model_as_it_is_now(lab, name):
    model = network(lab)
    method = getattr(polyattr, name)(model, **METHODS[name])
    for seed in range(3):
        method.explain(lab.tensor(drawn(seed)), 1)
    for weights in (8, 7, 9):
        lab.set_weights(model, random_network(weights, FEATURES, 6, CLASSES))
        new = getattr(polyattr, name)(model, **METHODS[name])
        found, wanted = (m.explain(lab.tensor(drawn(5)), 1) for m in (method, new))
        np.testing.assert_allclose(lab.numpy(found), lab.numpy(wanted), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", METHODS)
def test_targets_of_a_result_are_its_own(lab, name):
    method = getattr(polyattr, name)(network(lab), **METHODS[name])
    for seed in (1, 2):
        method.attribute(lab.tensor(drawn(seed)), 1)
    method.attribute(lab.tensor(drawn(3)), 1).targets[:] = 3
    found = method.attribute(lab.tensor(drawn(4)), 1)
    np.testing.assert_array_equal(found.targets, [1, 1])
    method.attribute(lab.tensor(drawn(4)), 1)
    np.testing.assert_array_equal(found.targets, [1, 1])


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_targets_that_their_user_changes_are_told_as_they_were(lab, kind):
    method = polyattr.IntegratedGradients(network(lab), operator="regression", steps=6)
    weights = one_hot(np.array([0, 3]), CLASSES).astype(kind)
    given = weights.copy()
    for seed in (1, 2, 3):
        found = method.attribute(lab.tensor(drawn(seed)), given)
    given[:] = 7
    np.testing.assert_array_equal(found.targets, weights)
    np.testing.assert_array_equal(method.attribute(lab.tensor(drawn(4)), weights).targets, weights)
