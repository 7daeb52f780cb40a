"""Faults injected while a call runs: the answer is right or there is none, and nothing is left."""

import pickle
import threading

import numpy as np
import pytest
from labs.closeness import assert_close
from labs.numpy_network import random_network

import polyattr
from polyattr.backend.registry import get_backend
from polyattr.engine.tile import Sheaf

X = np.random.default_rng(5).standard_normal((6, 3)).astype(np.float32)
STEPS = 8
# The trapezoid rule integrates 3 t^2 over n - 1 intervals with the relative error 1 / (2 (n-1)^2).
EXPECTED = X**3 * (1 + 1 / (2 * (STEPS - 1) ** 2))


def cubes(ops, x):
    return ops.sum(x * x * x)


def explainer(lab, **settings):
    model = lab.function(cubes)
    return polyattr.IntegratedGradients(model, backend=lab.name, steps=STEPS, **settings)


class Kernels:
    """Stands between engine and kernels; raises at chosen runs of a tile."""

    def __init__(self, backend, monkeypatch, error, fails):
        self.sizes, self.error, self.fails = [], error, fails
        compile_kernel = type(backend).compile

        def compiled(owner, function, donate=None):
            return self.guarded(compile_kernel(owner, function, donate))

        monkeypatch.setattr(type(backend), "compile", compiled)

    def guarded(self, kernel):
        def run(*args):
            if not isinstance(args[-1], Sheaf):
                return kernel(*args)
            rows = int(args[-1].whole.shape[-1])
            self.sizes.append(rows)
            if self.fails(len(self.sizes), rows):
                raise self.error
            return kernel(*args)

        return run


@pytest.mark.parametrize("batch_size", [24, None, "auto"])
def test_out_of_memory_halves_the_tile_and_goes_on(lab, monkeypatch, batch_size):
    kernels = Kernels(
        get_backend(lab.name), monkeypatch, MemoryError("too large"), lambda _, rows: rows > 7
    )
    method = explainer(lab, batch_size=batch_size)
    result = method.attribute(lab.tensor(X))
    assert_close(lab.numpy(result.values), EXPECTED)
    assert kernels.sizes[-1] <= 7
    assert (result.evaluations == STEPS).all()
    tried = len(kernels.sizes)
    assert_close(lab.numpy(method.explain(lab.tensor(X))), EXPECTED)
    assert max(kernels.sizes[tried:]) <= 7  # what did not fit is not tried again
    small = explainer(lab, batch_size=kernels.sizes[-1]).attribute(lab.tensor(X))
    np.testing.assert_array_equal(lab.numpy(result.values), lab.numpy(small.values))
    np.testing.assert_array_equal(result.completeness_gap, small.completeness_gap)


def test_the_frameworks_own_error_is_known(lab, monkeypatch):
    backend = get_backend(lab.name)
    # More than any address space holds, so that the error is the framework's, not ours.
    with pytest.raises(Exception, match=r"(?i)memory|OOM when allocating") as told:
        backend.zeros((2**29, 2**29), lab.tensor(X), "float32")
    kernels = Kernels(backend, monkeypatch, told.value, lambda _, rows: rows > 7)
    found = explainer(lab, batch_size=None).explain(lab.tensor(X))
    assert_close(lab.numpy(found), EXPECTED)
    assert max(kernels.sizes) == 6 * STEPS
    assert kernels.sizes[-1] <= 7


def test_one_row_that_does_not_fit_is_an_error(lab, monkeypatch):
    Kernels(get_backend(lab.name), monkeypatch, MemoryError("no room at all"), lambda *_: True)
    with pytest.raises(MemoryError, match="no room at all"):
        explainer(lab, batch_size=4).explain(lab.tensor(X))


def test_other_errors_are_not_taken_for_lack_of_memory(lab, monkeypatch):
    kernels = Kernels(
        get_backend(lab.name), monkeypatch, RuntimeError("something else"), lambda n, _: n == 2
    )
    with pytest.raises(RuntimeError, match="something else"):
        explainer(lab, batch_size=16).explain(lab.tensor(X))
    assert len(kernels.sizes) == 2


@pytest.mark.parametrize("name", ["IntegratedGradients", "SmoothGrad"])
def test_an_interrupted_call_leaves_a_usable_explainer(lab, monkeypatch, name):
    interrupted = []

    def third(count, _):
        if count == 3 and not interrupted:
            interrupted.append(count)
            return True
        return False

    Kernels(get_backend(lab.name), monkeypatch, KeyboardInterrupt(), third)
    model = lab.function(cubes)
    method = getattr(polyattr, name)(model, backend=lab.name, batch_size=12)
    threads = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        method.explain(lab.tensor(X))
    assert threading.active_count() <= threads + 1
    again = lab.numpy(method.explain(lab.tensor(X)))
    fresh = getattr(polyattr, name)(model, backend=lab.name, batch_size=12)
    assert_close(again, lab.numpy(fresh.explain(lab.tensor(X))))


@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize("error", [RuntimeError("in a tile"), KeyboardInterrupt()], ids=repr)
def test_what_was_summed_before_an_error_is_gone(lab, monkeypatch, error, nth):
    network = random_network(29, 3, 5, 2)
    model = lab.network(network, softmax=False)
    found = []
    for fails in (nth, 0):
        Kernels(get_backend(lab.name), monkeypatch, error, lambda n, _, at=fails: n == at)
        method = polyattr.VarGrad(model, nb_samples=8, batch_size=12)
        lab.reseed(3)
        before = lab.settings(), getattr(model, "training", None)
        if fails:
            with pytest.raises(type(error)):
                method.explain(lab.tensor(X), 1)
        found.append(lab.numpy(method.explain(lab.tensor(X), 1)))
        assert (lab.settings(), getattr(model, "training", None)) == before
        drawn = lab.draw()
        lab.reseed(3)
        assert drawn == lab.draw()
    np.testing.assert_array_equal(*found)
    outputs = polyattr.GradientInput(model).attribute(lab.tensor(X), 1).scores
    assert_close(outputs, network.outputs(X.astype(np.float64))[:, 1])  # its weights are its own


def test_threads_that_share_an_explainer(lab):
    method = explainer(lab, batch_size=5)
    scales = [1.0, -2.0, 3.0, 0.5]
    found = {}

    def work(scale):
        for _ in range(3):
            found.setdefault(scale, []).append(lab.numpy(method.explain(lab.tensor(X * scale))))

    workers = [threading.Thread(target=work, args=(scale,)) for scale in scales]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for scale in scales:
        assert len(found[scale]) == 3
        for values in found[scale]:
            assert_close(values, EXPECTED * scale**3)


def test_an_explainer_of_a_picklable_model_is_picklable(backend_name):
    method = polyattr.SmoothGrad(Squares(), backend=backend_name, nb_samples=4, seed=3)
    expected = np.asarray(method.attribute(X))
    copy = pickle.loads(pickle.dumps(method))
    assert repr(copy) == repr(method)
    np.testing.assert_array_equal(np.asarray(copy.attribute(X)), expected)


class Squares:
    """Scores without any framework's function: Python operators alone."""

    def __call__(self, x):
        return x[:, 0] * x[:, 1] + x[:, 2] * x[:, 2]
