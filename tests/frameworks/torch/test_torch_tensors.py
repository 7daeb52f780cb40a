"""Tensors of every dtype, layout and mode, and loaders of them."""

import copy

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import polyattr
from polyattr import IntegratedGradients, SmoothGrad, UnusedInputWarning


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(27, 4)).eval()


@pytest.fixture
def images():
    return torch.randn(5, 2, 5, 5, generator=torch.Generator().manual_seed(1))


def _overwriting(kind):
    """A model that overwrites its input first, and the same model that does not."""
    torch.manual_seed(2)
    linear = nn.Linear(50, 4)
    if kind == "module":
        head = nn.Sequential(nn.Flatten(), linear)
        return nn.Sequential(nn.ReLU(inplace=True), *head), nn.Sequential(nn.ReLU(), *head)
    if kind == "function":
        return (
            lambda x: linear(x.add_(1).mul_(2).flatten(1)),
            lambda x: linear(((x + 1) * 2).flatten(1)),
        )

    def shifts_pixels(x):
        x[:, 0] += x[:, 1]
        return linear(x.flatten(1))

    return shifts_pixels, lambda x: linear(torch.stack([x[:, 0] + x[:, 1], x[:, 1]], 1).flatten(1))


@pytest.mark.parametrize("kind", ["module", "function", "slice"])
@pytest.mark.parametrize("target", [None, 2])
@pytest.mark.parametrize("batch_size", [None, 2])
def test_a_model_that_overwrites_its_input(
    kind, target, batch_size, images, path_integral, untouched
):
    overwriting, plain = _overwriting(kind)
    chosen = plain(images).argmax(1) if target is None else torch.full((5,), target)
    with untouched(overwriting, images):
        path = IntegratedGradients(overwriting, steps=9, batch_size=batch_size, backend="torch")
        result = path.attribute(images, target)
        smooth = SmoothGrad(overwriting, nb_samples=4, backend="torch").attribute(images, target)
    assert result.targets.tolist() == chosen.tolist()
    rows = [path_integral(plain, images[i : i + 1], int(t), 9) for i, t in enumerate(chosen)]
    torch.testing.assert_close(result.values, torch.cat(rows))
    scores = plain(images)[range(5), chosen].detach().double()
    torch.testing.assert_close(torch.from_numpy(result.scores), scores, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(torch.from_numpy(smooth.scores), scores, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_every_floating_dtype_comes_back_and_is_right(network, images, path_integral, dtype):
    kind = getattr(torch, dtype)
    exact = path_integral(copy.deepcopy(network).double(), images.double(), 1, 21)
    values = IntegratedGradients(network.to(kind), steps=21).explain(images.to(kind), 1)
    assert values.dtype is kind
    assert values.shape == images.shape
    # Weights, inputs and gradients of the half types have 11 and 8 bits; sums are kept wider.
    tolerance = {"float16": 4e-3, "bfloat16": 3e-2, "float64": 1e-13}[dtype]
    assert (values.double() - exact).abs().max() < tolerance * exact.abs().max()


def test_a_sum_of_half_precision_gradients_is_kept_in_float32():
    # 4097 gradients of 1: a float16 running sum would stop at 2048.
    x = torch.full((1, 3), 2.0, dtype=torch.float16)
    explainer = IntegratedGradients(lambda x: x.sum(1), steps=4097, batch_size=16)
    torch.testing.assert_close(explainer.explain(x), x, rtol=0, atol=2e-3)


LAYOUTS = {
    "transposed": lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    "channels last": lambda x: x.to(memory_format=torch.channels_last),
    "strided": lambda x: x.repeat_interleave(2, dim=3)[..., ::2],
    "expanded": lambda x: x[:1].expand(5, -1, -1, -1),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_memory_layout_does_not_matter(network, images, layout):
    given = LAYOUTS[layout](images)
    assert not given.is_contiguous()
    for batch_size in (None, 3):
        explainer = IntegratedGradients(network, batch_size=batch_size)
        values = explainer.explain(given, 2, baselines=given * 0.5)
        plain = given.contiguous()
        torch.testing.assert_close(values, explainer.explain(plain, 2, baselines=plain * 0.5))


def test_a_parameter_or_subclass_as_input(network, images):
    values = polyattr.GradientInput(network).explain(nn.Parameter(images), 2)
    assert type(values) is torch.Tensor
    assert torch.equal(values, polyattr.GradientInput(network).explain(images, 2))


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32, torch.int64])
def test_targets_of_every_integer_type(network, images, dtype):
    labels = torch.tensor([0, 3, 1, 2, 2], dtype=dtype)
    result = polyattr.Saliency(network).attribute(images, labels)
    rows = [polyattr.Saliency(network).explain(images[i : i + 1], int(labels[i])) for i in range(5)]
    torch.testing.assert_close(result.values, torch.cat(rows))
    assert result.targets.tolist() == labels.tolist()


def test_a_loader_brings_inputs_and_targets(network, images):
    labels = torch.tensor([0, 3, 1, 2, 2])
    explainer = IntegratedGradients(network, steps=9)
    whole = explainer.attribute(images, labels)
    result = explainer.attribute(DataLoader(TensorDataset(images, labels), batch_size=2))
    torch.testing.assert_close(result.values, whole.values)
    assert result.targets.tolist() == labels.tolist()
    assert result.scores.shape == result.completeness_gap.shape == (5,)
    torch.testing.assert_close(
        explainer.explain(DataLoader(TensorDataset(images, labels), batch_size=3)), whole.values
    )


@pytest.mark.parametrize("dataset", [TensorDataset, list])
def test_a_loader_without_targets(network, images, dataset):
    explainer = polyattr.GradientInput(network)
    loader = DataLoader(dataset(images), batch_size=2)
    torch.testing.assert_close(explainer.explain(loader, 1), explainer.explain(images, 1))
    predicted = explainer.attribute(loader)
    assert predicted.targets.tolist() == network(images).argmax(1).tolist()
    torch.testing.assert_close(predicted.values, explainer.explain(images))


def test_an_input_that_is_not_used_has_a_zero_map(images):
    def model(used, unused):
        return used.flatten(1).sum(1) * 3

    given = (images, torch.ones(5, 2))
    with pytest.warns(UnusedInputWarning, match=r"inputs\[1\]"):
        used, unused = polyattr.Saliency(model).explain(given)
    torch.testing.assert_close(used, torch.full_like(images, 3.0))
    assert torch.equal(unused, torch.zeros(5, 2))


def test_indices_changed_in_place_after_a_call_change_no_later_one():
    linear = torch.nn.Linear(3, 4)
    method, x, targets = polyattr.GradientInput(linear), torch.ones(2, 3), torch.tensor([0, 3])
    for _ in range(3):
        found = method.attribute(x, targets)
    targets[0] = 1
    assert found.targets.tolist() == [0, 3]
    assert torch.equal(method.explain(x, torch.tensor([0, 3])), linear.weight[[0, 3]].detach())
    assert torch.equal(method.explain(x, targets), linear.weight[[1, 3]].detach())
