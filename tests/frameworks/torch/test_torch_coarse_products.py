"""GPUs take products of eleven bits of each number: that is rounding, not rows that depend."""

import numpy as np
import pytest
import torch

import polyattr
from polyattr_torch.backend import TorchBackend

FEATURES, HIDDEN = 64, 128


def rounded(x, up):
    """The leading eleven bits, to the nearest or cut off, as one kernel or another does."""
    mantissa, exponent = torch.frexp(x.detach())
    scaled = mantissa * 2**11
    return (
        x
        + (
            torch.ldexp(torch.round(scaled) if up else torch.trunc(scaled), exponent - 11) - x
        ).detach()
    )


def network(mixing=0.0):
    rng = np.random.default_rng(0)
    first = torch.tensor(rng.standard_normal((FEATURES, HIDDEN)) / 8, dtype=torch.float32)
    last = torch.tensor(rng.standard_normal((HIDDEN, 1)) / 11, dtype=torch.float32)

    def score(x):
        up = len(x) % 2 == 1
        hidden = torch.tanh(rounded(x, up) @ rounded(first, up))
        hidden = hidden + mixing * hidden.mean(dim=0, keepdim=True)
        # What is left of large terms that cancel shows rounding most.
        return (rounded(hidden, up) @ rounded(last, up))[:, 0]

    return score


@pytest.fixture
def accelerated(monkeypatch):
    monkeypatch.setattr(TorchBackend, "accelerated", lambda *_: True)


def cancelling(count):
    """Samples whose score is a hundredth of what its terms are."""
    x = torch.rand(4096, FEATURES, generator=torch.Generator().manual_seed(1)) - 0.5
    return x[network()(x).abs().argsort()[:count]]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_coarse_products_are_rounding_on_an_accelerator(accelerated, count):
    x, model = cancelling(count), network()
    found = polyattr.GradientInput(model).explain(x)
    points = x.clone().requires_grad_()
    (wanted,) = torch.autograd.grad(model(points).sum(), points)
    torch.testing.assert_close(found, wanted * x, rtol=0.05, atol=0.01)


def test_on_a_cpu_they_are_not():
    with pytest.raises(polyattr.ModelOutputError, match="scored"):
        polyattr.GradientInput(network()).explain(cancelling(1))


@pytest.mark.parametrize("count", [2, 5])
def test_rows_that_depend_are_found_on_an_accelerator(accelerated, count):
    x = torch.rand(count, FEATURES, generator=torch.Generator().manual_seed(2)) - 0.5
    with pytest.raises(polyattr.ModelOutputError, match="scored"):
        polyattr.GradientInput(network(mixing=0.3)).explain(x)
