"""Every floating dtype and autocast: what comes back, and how exact it is."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import polyattr
from polyattr import IntegratedGradients

HALF = {torch.float16: 4e-3, torch.bfloat16: 3e-2}  # 11 and 8 bits, kept through a few layers


@pytest.fixture
def images():
    return torch.randn(5, 2, 5, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(27, 4)).eval()


class Quadratic(nn.Module):
    """c . (A h)^2 of h = B x * scale: its path integral has a closed form at every step count."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Linear(6, 5, bias=False)
        self.deep = nn.Linear(5, 4, bias=False)

    def forward(self, x, scale, *, factor):
        return (self.deep(self.stem(x) * scale) ** 2).sum(1) * factor


def _closed_form(model, x, scale, factor, layer):
    """Attributions of `Quadratic` in long double: v * (M^T M v) of the linear map M behind v."""
    wide = np.longdouble
    stem, deep = (
        part.weight.detach().double().numpy().astype(wide) for part in (model.stem, model.deep)
    )
    x, scale = x.double().numpy().astype(wide), scale.double().numpy().astype(wide)
    rows = []
    for sample, by in zip(x, scale, strict=True):
        behind = deep * by if layer else deep @ (by[:, None] * stem)
        value = stem @ sample if layer else sample
        rows.append(factor * value * (behind.T @ (behind @ value)))
    return np.stack(rows)


@pytest.mark.parametrize("steps", [2, 3, 50])
@pytest.mark.parametrize("layer", [None, "stem"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, *HALF])
def test_a_quadratic_form_is_attributed_to_rounding(dtype, layer, steps):
    model = Quadratic().to(dtype)
    x, scale = torch.randn(4, 6).to(dtype), torch.rand(4, 5).to(dtype)
    explainer = IntegratedGradients(
        model, input_layer=layer, steps=steps, rule="midpoint", batch_size=7
    )
    values = explainer.explain(x, forward_args=(scale,), forward_kwargs={"factor": 0.5})
    assert (values.dtype, values.device) == (dtype, x.device)
    exact = _closed_form(model, x, scale, 0.5, layer)
    error = np.abs(values.double().numpy() - exact).max() / np.abs(exact).max()
    assert error < {torch.float64: 1e-14, torch.float32: 1e-6, **HALF}[dtype]


@pytest.mark.parametrize("dtype", HALF)
def test_activations_of_half_precision_are_summed_in_float32(dtype):
    class Sum(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Identity()

        def forward(self, x):
            return self.stem(x).sum(1)

    # 4097 gradients of 1: a running sum of 11 bits would stop at 2048, one of 8 bits at 256.
    x = torch.full((1, 3), 2.0, dtype=dtype)
    explainer = IntegratedGradients(Sum(), input_layer="stem", steps=4097, batch_size=16)
    assert torch.equal(explainer.explain(x), x)


@pytest.mark.parametrize("layer", [None, "0"])
@pytest.mark.parametrize("dtype", HALF)
def test_autocast_around_the_call(network, images, path_integral, dtype, layer):
    exact_network = copy.deepcopy(network).double()
    start = images.double() if layer is None else exact_network[0](images.double()).detach()
    behind = exact_network if layer is None else exact_network[1:]
    exact = path_integral(behind, start, 1, 21)
    explainer = IntegratedGradients(network, input_layer=layer, steps=21, batch_size=16)
    plain = explainer.explain(images, 1)
    with torch.autocast("cpu", dtype=dtype):
        assert network(images).dtype is dtype
        result = explainer.attribute(images, 1)
    # Its activations, and so the attributions to a layer, are what autocast makes them.
    assert result.values.dtype is (torch.float32 if layer is None else dtype)
    error = (result.values.double() - exact).abs().max() / exact.abs().max()
    assert error < HALF[dtype]
    assert (result.values - plain).abs().max() > 0  # it did run in half precision
    assert torch.equal(explainer.explain(images, 1), plain)
    scores = exact_network(images.double())[:, 1].detach().numpy()
    np.testing.assert_allclose(result.scores, scores, atol=HALF[dtype] * np.abs(scores).max())


@pytest.mark.parametrize("dtype", HALF)
def test_what_autocast_computes_is_still_summed_in_float32(dtype):
    weight = torch.ones(3, 1)
    x = torch.full((1, 3), 2.0)
    explainer = IntegratedGradients(lambda x: (x @ weight)[:, 0], steps=4097, batch_size=16)
    with torch.autocast("cpu", dtype=dtype):
        values = explainer.explain(x)
    assert values.dtype is torch.float32
    torch.testing.assert_close(values, x, rtol=1e-6, atol=0)


@pytest.mark.parametrize("method", [polyattr.SmoothGrad, polyattr.VarGrad, polyattr.Saliency])
def test_other_methods_under_autocast(network, images, method):
    plain = method(network).explain(images, 1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        values = method(network).explain(images, 1)
    assert values.dtype is torch.float32
    torch.testing.assert_close(values, plain, rtol=0, atol=0.05 * plain.abs().max().item())


def test_autocast_inside_the_model(network, images, path_integral):
    exact = path_integral(copy.deepcopy(network).double(), images.double(), 1, 21)

    def model(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return network(x)

    values = IntegratedGradients(model, steps=21).explain(images, 1)
    assert values.dtype is torch.float32
    assert (values.double() - exact).abs().max() < 3e-2 * exact.abs().max()
