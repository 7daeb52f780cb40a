"""Tiles with a row of every sample, in its place, look nothing up: they answer as any others."""

import numpy as np
import pytest
from labs.numpy_network import random_network

import polyattr
from polyattr.engine.plan.sheet import plan_sheet
from polyattr.sampling import FixedNodes, NoisyCopies, StraightPath

N = 6
X = np.random.default_rng(5).standard_normal((N, 12)).astype(np.float32)
BASELINES = np.random.default_rng(6).standard_normal((N, 12)).astype(np.float32)
NETWORK = random_network(6, 12, 16, 3, activation="relu")
TARGETS = np.arange(N) % 3

METHODS = {
    "trapezoid": (polyattr.IntegratedGradients, {"steps": 9}),
    "means": (
        polyattr.IntegratedGradients,
        {"steps": 9, "rule": "midpoint", "multiply_by_inputs": False},
    ),
    "left": (polyattr.IntegratedGradients, {"steps": 9, "rule": "left"}),
    "noise": (polyattr.SmoothGrad, {"nb_samples": 9}),
    "variance": (polyattr.VarGrad, {"nb_samples": 9}),
}
ON_PATHS = [name for name in METHODS if name not in ("noise", "variance")]


def test_such_tiles_there_are():
    for recipe in (StraightPath(nodes=FixedNodes(9)), NoisyCopies(count=9, antithetic=False)):
        sheet = plan_sheet(N, recipe, N)
        assert sheet.rows == sheet.samples == N
        assert plan_sheet(N, recipe, 2 * N).rows != N


@pytest.mark.parametrize(
    ("name", "own"), [*((n, False) for n in METHODS), *((n, True) for n in ON_PATHS)]
)
def test_the_answers_are_the_same(lab, name, own):
    """Of one baseline for all samples, and of one for each."""
    model, found = lab.network(NETWORK, softmax=False), {}
    given = {"targets": TARGETS} | ({"baselines": lab.tensor(BASELINES)} if own else {})
    for size in (N, 2 * N, 4, 54):
        kind, settings = METHODS[name]
        method = kind(model, batch_size=size, **settings)
        found[size] = method.attribute(lab.tensor(X), **given)
    for size in (2 * N, 4, 54):
        for fact in ("values", "error", "standard_error", "bound", "slope"):
            one, other = (getattr(found[s], fact, None) for s in (N, size))
            if one is None:
                assert other is None
                continue
            one, other = (np.asarray(lab.numpy(t) if lab.is_native(t) else t) for t in (one, other))
            np.testing.assert_allclose(one, other, rtol=3e-5, atol=1e-6, err_msg=fact)
