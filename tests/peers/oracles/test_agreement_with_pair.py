"""polyattr's guided path against that of PAIR saliency, mended to run on this NumPy.

What else docs/coming-from/pair-saliency.md claims is run on the page itself.
"""

import numpy as np
import pytest
import saliency.core as saliency
import torch

import polyattr

WEIGHTS = torch.tensor(np.random.default_rng(611).standard_normal((12, 8)), dtype=torch.float32)
X = np.random.default_rng(612).standard_normal(12).astype(np.float32)


def score(x):
    return (x @ WEIGHTS).tanh().sum(1)


def gradients(x, *_, **__):
    point = torch.tensor(x, dtype=torch.float32, requires_grad=True)
    (found,) = torch.autograd.grad(score(point).sum(), point)
    return {saliency.INPUT_OUTPUT_GRADIENTS: found.numpy()}


@pytest.fixture(autouse=True)
def quantile_of_old(monkeypatch):
    """PAIR names an argument of np.quantile as NumPy did before 2.4."""
    now = np.quantile
    monkeypatch.setattr(np, "quantile", lambda a, q, interpolation: now(a, q, method=interpolation))


def distance(steps):
    theirs = saliency.GuidedIG().GetMask(X, gradients, x_steps=steps)
    method = polyattr.GuidedIntegratedGradients(score, steps=steps)
    ours = method.explain(torch.tensor(X)[None])[0].numpy()
    return np.abs(ours - theirs).sum() / np.abs(theirs).sum()


def test_one_path_two_rules():
    # The trapezoid here, the left ends there: what is between them falls with 1 / n.
    assert distance(1000) < 0.004
    assert distance(1000) < distance(100) / 4
