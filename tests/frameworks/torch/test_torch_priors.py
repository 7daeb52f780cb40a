"""Training with attributions in the loss: `function` on modules."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import polyattr

RNG = np.random.default_rng(1071)
X, BACKGROUND = (torch.tensor(RNG.standard_normal((n, 4))) for n in (6, 8))
TARGETS = torch.tensor([0, 1, 2, 0, 1, 2])


@pytest.fixture
def model():
    torch.manual_seed(3)
    made = nn.Sequential(
        nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 3), nn.Dropout()
    )
    return made.double().train()


def prior(model):
    method = polyattr.ExpectedGradients(model, background=BACKGROUND, nb_samples=4)
    return method.function(X, TARGETS)(X)[:, 0].pow(2).sum()


def test_gradients_reach_the_parameters_and_a_step_lowers_the_loss(model):
    before = prior(model)
    before.backward()
    for parameter in [model[0].weight, model[3].weight, model[1].weight]:
        assert parameter.grad.abs().max() > 0
    size = sum(p.grad.pow(2).sum() for p in model.parameters() if p.grad is not None)
    rate = 1e-3 * before.item() / size.item()
    torch.optim.SGD(model.parameters(), lr=rate).step()
    assert prior(model).item() == pytest.approx(before.item() * (1 - 1e-3), rel=1e-4)


def test_the_gradient_is_that_of_finite_differences(model):
    weight = model[0].weight
    (gradient,) = torch.autograd.grad(prior(model), [weight])
    step = 1e-6
    for place in [(0, 0), (2, 3), (4, 1)]:
        ends = []
        for sign in (1, -1):
            with torch.no_grad():
                weight[place] += sign * step
            ends.append(prior(model).item())
            with torch.no_grad():
                weight[place] -= sign * step
        slope = (ends[0] - ends[1]) / (2 * step)
        assert gradient[place].item() == pytest.approx(
            slope, abs=1e-6 * gradient.abs().max().item()
        )


def test_the_model_is_left_in_training_and_nothing_is_said(model):
    """Attributions in a loss are taken of a model that is being trained: no reason to warn."""
    statistics = model[1].running_mean.clone()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        method = polyattr.IntegratedGradients(model, steps=4)
        phi = method.function(X, TARGETS)
        found = phi(X)
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(model[1].running_mean, statistics)
    assert torch.equal(found, phi(X))  # no dropout
    assert found.requires_grad
    model.eval()
    assert torch.allclose(found, method.explain(X, TARGETS), rtol=1e-10)


def test_a_model_that_fails_is_left_in_training(model):
    def broken(x):
        raise RuntimeError("no")

    phi = polyattr.GradientInput(model).function(X, TARGETS)
    model[2].forward = broken
    with pytest.raises(RuntimeError, match="no"):
        phi(X)
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_frozen_parameters_stay_frozen(model):
    model[0].weight.requires_grad_(False)
    prior(model).backward()
    assert not model[0].weight.requires_grad
    assert model[0].weight.grad is None
    assert model[3].weight.grad is not None


def test_second_derivatives_by_the_inputs():
    x = torch.tensor([[1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    phi = polyattr.GradientInput(lambda x: (x**3).sum(1), backend="torch").function(x)
    (gradient,) = torch.autograd.grad(phi(x).sum(), x)
    assert torch.allclose(gradient, 9 * x**2)
