"""Pictures come to convolutions with a pixel's channels side by side, where the model allows it."""

import numpy as np
import pytest
import torch
from torch import nn

import polyattr


class Network(nn.Module):
    """Two convolutions and a head; notes how its inputs lie where gradients are taken."""

    def __init__(self, flatten):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.head = nn.Linear(5 * 4 * 4, 3)
        self.flatten, self.seen = flatten, []

    def forward(self, x):
        if torch.is_grad_enabled():
            self.seen.append(x.is_contiguous(memory_format=torch.channels_last))
        x = self.second(torch.tanh(self.first(x)))
        return self.head(self.flatten(torch.tanh(x)))


class OfMemory(torch.autograd.Function):
    """A kernel that takes its input to lie in the usual order, and does not look."""

    @staticmethod
    def forward(ctx, x):
        usual = torch.empty(x.shape).stride()
        return torch.as_strided(x, x.shape, usual) * torch.arange(x[0].numel()).view(x[0].shape)

    @staticmethod
    def backward(ctx, gradient):
        return gradient * torch.arange(gradient[0].numel()).view(gradient[0].shape)


def made(flatten):
    torch.manual_seed(0)
    return Network(flatten).eval(), torch.rand(5, 3, 8, 8) + 0.1


def expected(model, x, steps):
    """Integrated gradients from zero by the midpoint rule, in the usual order."""
    total = torch.zeros_like(x)
    for t in (np.arange(steps) + 0.5) / steps:
        point = (x * t).requires_grad_()
        total += torch.autograd.grad(model(point)[:, 1].sum(), point)[0]
    model.seen.clear()
    return (total / steps * x).detach()


def explained(model, x, steps=4):
    method = polyattr.IntegratedGradients(model, steps=steps, rule="midpoint")
    return method, method.explain(x, targets=1)


@pytest.mark.parametrize("flatten", [lambda x: x.flatten(1), lambda x: x.reshape(len(x), -1)])
def test_rows_lie_as_convolutions_like_them(flatten):
    model, x = made(flatten)
    wanted = expected(model, x, 4)
    _, found = explained(model, x)
    assert model.seen[-1]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
    assert found.stride() == x.stride()


@pytest.mark.parametrize("first", [1, 5])
def test_a_model_that_views_its_pictures_has_them_as_they_lie(first):
    model, x = made(lambda x: x.view(len(x), -1))
    wanted = expected(model, x, 4)
    method, found = explained(model, x[:first])
    torch.testing.assert_close(found, wanted[:first], rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(method.explain(x, targets=1), wanted, rtol=1e-4, atol=1e-6)
    model.seen.clear()
    method.explain(x, targets=1)
    assert not any(model.seen)


def test_a_function_of_a_module_has_its_rows_so_too():
    model, x = made(lambda x: x.flatten(1))
    _, wanted = explained(model, x)
    model.seen.clear()
    _, found = explained(lambda x: model(x), x)
    assert model.seen[-1]
    assert torch.equal(found, wanted)


def test_a_kernel_that_reads_memory_as_it_lies_is_found_out():
    model, x = made(lambda x: OfMemory.apply(x).flatten(1))
    inner = model.forward
    model.forward = lambda x: inner(OfMemory.apply(x))
    wanted = expected(model, x, 4)
    model.seen.clear()
    _, found = explained(model, x)
    assert not model.seen[-1]
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-3)


def test_a_users_own_error_about_views_is_raised_as_it_is():
    model, x = made(lambda x: x.transpose(1, 2).view(len(x), -1))
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        explained(model, x)


def test_pictures_that_lie_so_already_come_back_so():
    model, x = made(lambda x: x.flatten(1))
    wanted = expected(model, x, 4)
    last = x.contiguous(memory_format=torch.channels_last)
    _, found = explained(model, last)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-6)
