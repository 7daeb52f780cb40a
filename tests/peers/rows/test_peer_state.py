"""What other libraries change of the user's objects or process, and never put back.

Each test is named after what the peer gets wrong; the peer and the version it was measured on
stand beside it.
"""

import contextlib

import numpy as np
import pytest
from batch_normalised import BUILD, SLOPE, WARNS
from labs import METHODS
from labs.closeness import assert_close
from labs.numpy_network import single

import polyattr

X = single(np.random.default_rng(221).standard_normal((6, 3)))


@pytest.mark.parametrize("batch_size", [1, 4, None])
def test_batch_norm_statistics_are_not_changed(lab, batch_size):
    # captum 0.9.0, model in training mode: running statistics move, and the map, which then
    # depends on the batch, by 2.05 with the chunk size.
    model, statistics = BUILD[lab.name]()
    before = statistics()
    method = polyattr.IntegratedGradients(model, steps=5, batch_size=batch_size)
    told = pytest.warns(polyattr.TrainingModeWarning, match="BatchNorm")
    with told if lab.name in WARNS else contextlib.nullcontext():
        found = method.explain(lab.tensor(X), 0)
    assert_close(lab.numpy(found), X * SLOPE)
    for old, new in zip(before, statistics(), strict=True):
        assert old.tobytes() == new.tobytes()


@pytest.mark.parametrize("method", METHODS)
def test_a_failure_leaves_no_requires_grad_behind(lab, method):
    # captum 0.9.0: when the model raises, the user's tensor is left with requires_grad set.
    def gives_up(ops, x):
        raise RuntimeError("the model gave up")

    x, settings = lab.tensor(X), lab.settings()
    made = method(lab.function(gives_up), backend=lab.name)
    with pytest.raises(RuntimeError, match="the model gave up"):
        made.explain(x)
    assert getattr(x, "requires_grad", False) is False
    assert lab.settings() == settings
    assert (lab.numpy(x) == X).all()


@pytest.mark.parametrize("method", METHODS)
def test_results_are_detached(lab, method):
    # captum 0.9.0: InputXGradient's result hangs on the graph until .detach() is called.
    model = lab.function(lambda ops, x: ops.sum(x * x * x))
    found = method(model, backend=lab.name).explain(lab.tensor(X))
    assert getattr(found, "requires_grad", False) is False
    assert np.asarray(found).shape == X.shape  # which a tensor with a graph refuses


def test_no_setting_of_the_process_is_changed(lab):
    # xplique 2.0.2: TorchWrapper has TensorFlow run eagerly for the whole process from then on.
    before = lab.settings()
    model = lab.function(lambda ops, x: ops.sum(x * x))
    for method in METHODS:
        method(model, backend=lab.name).attribute(lab.tensor(X))
    assert lab.settings() == before


def test_tensors_stay_in_their_framework(lab):
    # xplique 2.0.2: TorchWrapper passes every batch through NumPy, in float32 only.
    def model(x):
        assert lab.is_native(x)  # also while a model is traced
        return lab.ops.sum(x * x)

    with lab.double():
        method = polyattr.GradientInput(model, backend=lab.name)
        found = method.explain(lab.tensor(X, "float64"))
        assert lab.is_native(found)
        assert lab.dtype(found) == "float64"
        assert_close(lab.numpy(found), 2 * X * X, 1e-15)
