"""One, two, three, ... samples in turn: few programs, one wait for the device, the same maps."""

import warnings

import numpy as np
import pytest
from labs.closeness import assert_close

import polyattr
from polyattr.backend.registry import get_backend

X = np.random.default_rng(3).standard_normal((40, 3)).astype(np.float32)
W = np.random.default_rng(4).standard_normal((3, 4)).astype(np.float32)
TARGETS = np.arange(40) % 4
METHODS = {
    "GradientInput": (polyattr.GradientInput, {}),
    "IntegratedGradients": (polyattr.IntegratedGradients, {"steps": 20}),
    "SmoothGrad": (polyattr.SmoothGrad, {"nb_samples": 10}),
    "GuidedIntegratedGradients": (polyattr.GuidedIntegratedGradients, {"steps": 4}),
}
_SIZES = 6
# Of the model alone: two rows that it is tried with, the rows they are compared with, f(x).
_TRIED = 6


def classes(ops, x):
    return ops.tanh(ops.matmul(x, ops.like(W, x)))


@pytest.mark.parametrize(
    ("name", "place"),
    [*((name, "host") for name in METHODS), ("GradientInput", "device"), ("SmoothGrad", "device")],
)
def test_few_programs_answer_any_number_of_samples(lab, monkeypatch, name, place):
    """On an accelerator, for which the CPU stands, blocks are filled up to save calls."""
    if place == "device":
        monkeypatch.setattr(type(get_backend(lab.name)), "accelerated", lambda *_: True)
    kind, settings = METHODS[name]
    model, counter = lab.counting(classes)
    method = kind(model, backend=lab.name, **settings)
    alone = kind(lab.function(classes), backend=lab.name, **settings)
    whole = lab.numpy(alone.explain(lab.tensor(X), TARGETS))
    for n in range(1, len(X) + 1):
        assert_close(lab.numpy(method.explain(lab.tensor(X[:n]), TARGETS[:n])), whole[:n])
    if lab.compiled:
        assert counter.bodies <= _SIZES + _TRIED
    counter.reset()
    for n in range(len(X), 0, -1):
        method.explain(lab.tensor(X[:n]), TARGETS[:n])
    assert counter.bodies == 0 or not lab.compiled


@pytest.mark.parametrize("name", ["GradientInput", "IntegratedGradients", "SmoothGrad"])
@pytest.mark.parametrize(("n", "size"), [(1, "auto"), (5, "auto"), (8, "auto"), (40, 7)])
def test_explain_waits_for_the_device_once(lab, monkeypatch, name, n, size):
    """However many blocks there are."""
    kind, settings = METHODS[name]
    method = kind(lab.function(classes), backend=lab.name, batch_size=size, **settings)
    x = lab.tensor(X[:n])
    for _ in range(2):
        method.explain(x, TARGETS[:n])
    backend, read = type(get_backend(lab.name)), []
    one = backend.to_numpy
    monkeypatch.setattr(backend, "to_numpy", lambda *args: read.append(args) or one(*args))
    found = method.explain(x, TARGETS[:n])
    assert len(read) == 1
    monkeypatch.undo()
    assert_close(lab.numpy(found), lab.numpy(method.attribute(x, TARGETS[:n]).values))


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["GradientInput", "IntegratedGradients", "SmoothGrad"])
@pytest.mark.parametrize("call", ["explain", "attribute"])
def test_inputs_that_are_not_finite_are_named_in_any_call(lab, name, value, call):
    """Also where the model swallows them, and in calls that look for them late."""
    kind, settings = METHODS[name]

    def first(ops, x):
        return x[:, 0] * x[:, 0]

    method = kind(lab.function(first), backend=lab.name, on_nonfinite="mark", **settings)
    bad = X[:5].copy()
    bad[3, 2] = value
    for _ in range(3):
        with pytest.raises(
            polyattr.InputError, match=r"inputs contains (nan|inf) at index \(3, 2\)"
        ):
            getattr(method, call)(lab.tensor(bad))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", polyattr.UnusedInputWarning)
            getattr(method, call)(lab.tensor(X[:5]))


def test_large_inputs_are_not_taken_for_infinite(lab):
    """Their sum overflows float32, they do not."""
    method = polyattr.GradientInput(
        lab.function(lambda ops, x: ops.sum(x * 1e-30)), backend=lab.name
    )
    x = np.full((2, 3), 2e38, np.float32)
    for _ in range(3):
        assert_close(lab.numpy(method.explain(lab.tensor(x))), x * np.float32(1e-30))


def test_warm_leaves_nothing_to_trace(lab):
    model, counter = lab.counting(classes)
    method = polyattr.IntegratedGradients(model, backend=lab.name, steps=6)
    method.warm(lab.tensor(X[:5]), TARGETS[:5])
    counter.reset()
    method.explain(lab.tensor(X[5:10]), TARGETS[5:10])
    method.attribute(lab.tensor(X[5:10]), 2)
    assert counter.bodies == 0 or not lab.compiled
    with pytest.raises(polyattr.InputError, match="expected one batch"):
        method.warm(iter([lab.tensor(X)]))
