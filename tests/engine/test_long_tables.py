"""Tables too long to be held come in pieces: nothing is answered otherwise, and little is held."""

import gc
import tracemalloc

import numpy as np
import pytest
from labs.numpy_network import random_network

import polyattr
from polyattr.engine.plan import sheet

X = np.random.default_rng(5).standard_normal((7, 12)).astype(np.float32)
NETWORK = random_network(6, 12, 16, 3, activation="relu")
TARGETS = np.arange(7) % 3

METHODS = {
    "steps": lambda model: polyattr.IntegratedGradients(model, steps=97, batch_size=16),
    "nodes inside": lambda model: polyattr.IntegratedGradients(
        model, steps=40, rule="gauss-legendre", batch_size=16
    ),
    "several baselines": lambda model: polyattr.IntegratedGradients(model, steps=30, batch_size=16),
    "background": lambda model: polyattr.ExpectedGradients(
        model, background=X[:3], nb_samples=90, batch_size=16
    ),
    "noise": lambda model: polyattr.SmoothGrad(model, nb_samples=90, batch_size=16),
    "variance": lambda model: polyattr.VarGrad(
        model, nb_samples=60, shared_draws=False, batch_size=16
    ),
    "inside": lambda model: polyattr.SmoothGrad(
        of=polyattr.IntegratedGradients(model, steps=12), nb_samples=20, batch_size=16
    ),
}
FACTS = ("values", "scores", "completeness_gap", "error", "standard_error", "bound", "evaluations")


SEVERAL = {"several baselines": np.stack([X[:4]] * 7)}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.filterwarnings("ignore::polyattr.PolyattrWarning")
def test_pieces_answer_as_the_whole_does(lab, name, monkeypatch):
    model, x = lab.network(NETWORK, softmax=False), lab.tensor(X)
    beside = {"baselines": lab.tensor(SEVERAL[name])} if name in SEVERAL else {}

    def found():
        return METHODS[name](model).attribute(x, TARGETS, **beside)

    whole = found()
    monkeypatch.setattr(sheet, "_KEPT_TILES", 3)
    monkeypatch.setattr(sheet, "_LOGGED_ROWS", 50)
    monkeypatch.setattr(sheet, "_FEWEST_LOGGED", 1)
    pieces = found()
    for fact in FACTS:
        known, other = getattr(whole, fact), getattr(pieces, fact)
        assert (known is None) == (other is None), fact
        if known is not None:
            known, other = np.asarray(known, float), np.asarray(other, float)
            np.testing.assert_allclose(other, known, rtol=2e-5, atol=1e-6, err_msg=fact)


def held(explainer, x):
    """The most bytes that NumPy and Python hold at once during a call that is not the first."""
    explainer.explain(x, 1)
    found = []
    for _ in range(2):  # what others leave to be collected may fall into one of them
        gc.collect()
        tracemalloc.start()
        try:
            explainer.explain(x, 1)
            found.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(found)


@pytest.mark.parametrize("kind", ["IntegratedGradients", "SmoothGrad"])
@pytest.mark.filterwarnings("ignore::polyattr.PolyattrWarning")
def test_what_the_host_holds_does_not_grow_with_steps(lab, kind):
    model, x = lab.network(NETWORK, softmax=False), lab.tensor(X)
    counted = "steps" if kind == "IntegratedGradients" else "nb_samples"

    def of(number):
        method = getattr(polyattr, kind)(model, batch_size=64, **{counted: number})
        return held(method, x)

    few, some, many = of(50), of(2500), of(5000)
    # 35,000 rows, of five hundred bytes each while they are cut, would be 17 MiB.
    assert many - few < 6 * 2**20
    # What a rule has of each point, for all samples alike, remains.
    assert many - some < 1.5 * 2**20
