"""On CUDA sums over rows are taken in an order that the question settles, here by its operations.

The CPU stands for it: `index_put_` and indexing take the place of `index_add_` and `index_select`,
whose sums have no order there.
"""

import sys

import numpy as np
import pytest
import torch
from labs.closeness import assert_close

import polyattr
from polyattr_torch import TorchBackend
from polyattr_torch import backend as given_backend
from polyattr_torch.running.accumulation import sums_in_no_order

RNG = np.random.default_rng(12)
INDEX = torch.tensor([2, 0, 2, 2, 0], dtype=torch.int32)


@pytest.fixture
def unordered(monkeypatch):
    """Sums have no order, and what would take one so fails."""
    module = sys.modules[TorchBackend.__module__]
    monkeypatch.setattr(module, "sums_in_no_order", lambda tensor: True)

    def refused(*_):
        raise AssertionError("a sum in no order")

    for name in ("index_add", "index_add_"):
        monkeypatch.setattr(torch.Tensor, name, refused)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", [(), (3,), (2, 2)])
def test_rows_are_added_in_place(unordered, dtype, shape):
    total = torch.tensor(RNG.integers(-8, 8, (4, *shape))).to(dtype)
    rows = torch.tensor(RNG.integers(-8, 8, (5, *shape))).to(dtype)
    wanted = total.double().numpy().copy()
    np.add.at(wanted, INDEX.numpy(), rows.double().numpy())
    found = given_backend.fold(total, INDEX, rows)
    assert found.data_ptr() == total.data_ptr()
    assert found.dtype is dtype
    np.testing.assert_array_equal(found.double().numpy(), wanted)


def test_what_is_not_finite_stays_where_it_is(unordered):
    rows = torch.tensor([np.nan, 1.0, 2.0, np.inf, 3.0])
    found = given_backend.fold(torch.zeros(4), INDEX, rows).numpy()
    np.testing.assert_array_equal(found, [4.0, 0.0, np.nan, 0.0])


def test_gradients_through_a_sum_and_through_taken_rows(unordered):
    x = torch.tensor(RNG.standard_normal((4, 3)), requires_grad=True)

    def through(x):
        rows = given_backend.batch(x, INDEX)
        return given_backend.fold(torch.zeros(4, 3, dtype=torch.float64), INDEX, rows**3)

    assert torch.autograd.gradcheck(through, (x,))
    assert torch.autograd.gradgradcheck(through, (x,))
    assert "IndexSelect" not in type(given_backend.batch(x, INDEX).grad_fn).__name__


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_transforms_of_torch_func(unordered):
    x = torch.tensor(RNG.standard_normal((2, 4, 3)))

    def through(x):
        rows = given_backend.batch(x, INDEX)
        return given_backend.fold(torch.zeros(4, 3, dtype=torch.float64), INDEX, rows**2)

    every = torch.func.vmap(through)(x)
    np.testing.assert_allclose(every[1].numpy(), through(x[1]).numpy())
    jacobian = torch.func.jacrev(through)(x[0])
    np.testing.assert_allclose(jacobian.numpy(), torch.func.jacfwd(through)(x[0]).numpy())
    counts = np.array([2.0, 0.0, 3.0, 0.0])
    own = np.einsum("nfnf->nf", jacobian.numpy())
    np.testing.assert_allclose(own, 2 * counts[:, None] * x[0].numpy())


def test_shapes_alone():
    total = torch.zeros(4, 3, device="meta")
    index, rows = INDEX.to("meta"), torch.ones(5, 3, device="meta")
    found = total.index_put_((index,), rows, accumulate=True)
    assert (found.device.type, tuple(found.shape)) == ("meta", (4, 3))


METHODS = {
    "IntegratedGradients": {"steps": 7},
    "SmoothGrad": {"nb_samples": 6},
    "VarGrad": {"nb_samples": 6},
    "IDGI": {"steps": 7},
    "GuidedIntegratedGradients": {"steps": 4},
}


@pytest.mark.parametrize("name", METHODS)
def test_maps_are_those_of_sums_without_order(unordered, monkeypatch, name):
    weight = torch.tensor(RNG.standard_normal((3, 4)))
    x = torch.tensor(RNG.standard_normal((5, 3)))

    def explained():
        method = getattr(polyattr, name)(
            lambda x: torch.tanh(x @ weight), batch_size=4, **METHODS[name]
        )
        return method.attribute(x, 1)

    found = explained()
    monkeypatch.undo()
    wanted = explained()
    assert_close(found.values.numpy(), wanted.values.numpy(), 1e-12)
    assert_close(found.scores, wanted.scores, 1e-12)


def test_attributions_are_differentiated(unordered):
    x = torch.tensor(RNG.standard_normal((2, 3)), requires_grad=True)
    method = polyattr.IntegratedGradients(
        lambda x: (x**3).sum(1), steps=4, rule="gauss-legendre", batch_size=3
    )
    found = method.function(x.detach())(x)
    (gradient,) = torch.autograd.grad(found.sum(), x)
    assert_close(gradient.numpy(), 3 * x.detach().numpy() ** 2, 1e-12)


def test_only_cuda_has_no_order():
    for device in ("cpu", "meta"):
        assert sums_in_no_order(torch.zeros(1, device=device)) is False
