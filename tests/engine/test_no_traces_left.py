"""Stand-ins for tensors mean nothing after a call: none of them stays in what is the user's."""

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.backend.registry import get_backend

X = np.random.default_rng(41).standard_normal((4, 3)).astype(np.float32)
LAST = None


class Plain:
    """Keeps what it sees in every way an object can, and had something else there before."""

    seen = ["class"]  # noqa: RUF012 - what is tried
    latest = "class"

    def __init__(self, ops):
        self.ops = ops
        self.attention, self.maps, self.log = "before", {"old": 1}, ["first"]
        self.box = type("Box", (), {})()
        self.box.value = None

    def __call__(self, x):
        kept = self.ops.softmax(x)
        self.attention = self.fresh = kept
        self.maps["new"] = [kept]
        self.log.append(kept)
        self.box.value = (kept, {"a": kept})
        Plain.seen.append(kept)
        Plain.latest = kept
        return self.ops.sum(kept * x)


HELD = {}


def in_globals(ops):
    def function(x):
        global LAST
        LAST = HELD["a"] = ops.softmax(x)
        return ops.sum(LAST * x)

    return function, lambda: (LAST, dict(HELD))


def in_a_closure(ops):
    last, log = None, []

    def function(x):
        nonlocal last
        last = ops.softmax(x)
        log.append({"a": last})
        return ops.sum(last * x)

    return function, lambda: (last, list(log))


def in_an_object(ops):
    model = Plain(ops)

    def state():
        own = {name: value for name, value in vars(model).items() if name not in {"ops", "box"}}
        lists = {"maps": dict(model.maps), "log": list(model.log)}
        return own | lists, dict(vars(model.box)), list(Plain.seen), Plain.latest

    return model, state


PLACES = {"globals": in_globals, "a closure": in_a_closure, "an object": in_an_object}


def same(before, after):
    assert repr(before) == repr(after)


@pytest.mark.parametrize("place", PLACES)
def test_what_was_there_is_there_again(lab, place):
    if not get_backend(lab.name).objects.traces:
        return
    model, state = PLACES[place](lab.ops)
    before = state()
    for method in (
        polyattr.GradientInput(model, backend=lab.name),
        polyattr.IntegratedGradients(model, backend=lab.name, steps=4),
    ):
        first = lab.numpy(method.attribute(lab.tensor(X)).values)
        same(before, state())
        # Another number of rows is another trace; the first call again is none.
        method.explain(lab.tensor(X[:3]))
        same(before, state())
        np.testing.assert_array_equal(lab.numpy(method.explain(lab.tensor(X))), first)
        same(before, state())
    share = np.exp(X) / np.exp(X).sum(1, keepdims=True)
    slope = share + share * (X - (share * X).sum(1, keepdims=True))
    values = polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X))
    assert_close(lab.numpy(values), X * slope)


def test_also_in_operators_and_targets_and_when_a_call_fails(lab):
    objects = get_backend(lab.name).objects
    log = []

    def noted(tensor):
        log.append(tensor)
        return tensor

    method = polyattr.GradientInput(
        lambda x: x, backend=lab.name, operator=lambda model, x, _: noted(model(x))[:, 0]
    )
    method.explain(lab.tensor(X))
    assert not any(map(objects.is_traced, log))
    polyattr.GradientInput(lambda x: x, backend=lab.name).explain(
        lab.tensor(X), lambda z: noted(z)[:, 0]
    )
    assert not any(map(objects.is_traced, log))

    def fails(x):
        noted(x * 2)
        raise RuntimeError("its own")

    with pytest.raises(RuntimeError, match="its own"):
        polyattr.GradientInput(fails, backend=lab.name).explain(lab.tensor(X))
    assert not any(map(objects.is_traced, log))


def test_what_a_model_counts_while_it_is_traced_stays(lab):
    calls = []

    def model(x):
        calls.append(None)
        return lab.ops.sum(x * x)

    polyattr.GradientInput(model, backend=lab.name).explain(lab.tensor(X))
    assert calls
    assert set(calls) == {None}
