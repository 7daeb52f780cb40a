"""`function` under torch.func's transformations gives what it gives outside of them."""

import numpy as np
import pytest
import torch
from labs.closeness import assert_close

import polyattr

X = torch.from_numpy(np.random.default_rng(31).standard_normal((5, 4)).astype(np.float32))
METHODS = {
    "product": polyattr.GradientInput,
    "path": lambda model: polyattr.IntegratedGradients(model, steps=7),
    "noise": lambda model: polyattr.SmoothGrad(model, nb_samples=6),
    "path over noise": lambda model: polyattr.SmoothGrad(
        of=polyattr.IntegratedGradients(model, steps=3), nb_samples=2
    ),
}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))


# Of PyTorch itself, the first time that something is differentiated forwards.
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")
@pytest.mark.parametrize("name", METHODS)
def test_vmap_grad_and_jvp(model, name):
    method = METHODS[name](model)
    phi = method.function(X, 1)
    stack = torch.stack([X, 2 * X])
    with torch.no_grad():
        found = torch.func.vmap(phi)(stack)
        expected = [method.explain(rows, 1) for rows in stack]
    for each, wanted in zip(found, expected, strict=True):
        assert_close(each.numpy(), wanted.numpy(), 1e-5)
    recorded = X.clone().requires_grad_()
    slope = torch.autograd.grad(phi(recorded).square().sum(), recorded)[0]
    assert_close(torch.func.grad(lambda x: phi(x).square().sum())(X).detach(), slope, 1e-5)
    # Forward mode, by the whole Jacobian in reverse mode.
    direction = torch.linspace(-1, 1, 20).reshape(5, 4)
    pushed = torch.func.jvp(phi, (X,), (direction,))[1]
    jacobian = torch.func.jacrev(phi)(X)
    assert_close(pushed.detach(), torch.einsum("ijkl,kl->ij", jacobian, direction).detach(), 1e-5)
