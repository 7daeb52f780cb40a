"""input_layer: the map in a layer's space is the map of the model that begins behind it."""

import numpy as np
import pytest
import torch
from labs import METHODS, on_images
from torch import nn

import polyattr
from polyattr import InputError, IntegratedGradients, LayerNotFoundError, SmoothGrad


class Classifier(nn.Module):
    """Its activation overwrites the convolution's output in place."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(2, 3, 3)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Sequential(nn.Flatten(), nn.Linear(27, 5), nn.Tanh(), nn.Linear(5, 4))
        self.unused = nn.Linear(3, 3)

    def forward(self, x):
        return self.head(self.act(self.conv(x)))


@pytest.fixture
def model():
    return Classifier().eval()


@pytest.fixture
def images():
    return torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def behind(model):
    """What follows the convolution, without overwriting anything."""
    return nn.Sequential(nn.ReLU(), model.head)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["name", "index", "negative", "object"])
def test_the_map_is_that_of_the_model_cut_there(model, images, behind, method, kind):
    layer = {"name": "conv", "index": 0, "negative": -4, "object": model.conv}[kind]
    method = on_images(method)
    result = method(model, input_layer=layer, batch_size=7).attribute(images)
    hidden = model.conv(images).detach()
    expected = method(behind, batch_size=7).attribute(hidden)
    assert result.values.shape == (3, 3, 3, 3)
    torch.testing.assert_close(result.values, expected.values)
    np.testing.assert_allclose(result.scores, expected.scores, rtol=1e-6)
    assert np.array_equal(result.targets, expected.targets)


def test_by_autograd_alone(model, images, behind, path_integral):
    values = IntegratedGradients(model, input_layer="conv", steps=13).explain(images, 2)
    hidden = model.conv(images).detach()
    torch.testing.assert_close(values, path_integral(behind, hidden, 2, 13))


def test_a_nested_layer(model, images, gradient):
    values = polyattr.GradientInput(model, input_layer="head.1").explain(images, 3)
    hidden = model.head[1](model.head[0](model.act(model.conv(images)))).detach()
    torch.testing.assert_close(values, hidden * gradient(model.head[2:], hidden, 3))


@pytest.mark.parametrize("layer", ["act", "head", "head.1"])
def test_what_a_layer_takes_is_what_the_one_before_returns(model, images, layer):
    before = {"act": "conv", "head": "act", "head.1": "head.0"}[layer]
    here = IntegratedGradients(model, input_layer=layer, attribute_to_layer_input=True)
    there = IntegratedGradients(model, input_layer=before)
    # The activation works in place: what it takes must be read before, not after.
    torch.testing.assert_close(here.explain(images, 1), there.explain(images, 1), rtol=0, atol=0)


def test_the_input_of_the_model_itself_is_a_layer_input(model, images):
    whole = IntegratedGradients(model).explain(images, 1)
    first = IntegratedGradients(model, input_layer="conv", attribute_to_layer_input=True)
    assert torch.equal(first.explain(images, 1), whole)
    root = IntegratedGradients(model, input_layer=model, attribute_to_layer_input=True)
    assert torch.equal(root.explain(images, 1), whole)


@pytest.mark.parametrize("steps", [3, 17])
def test_attributions_sum_to_the_score_difference_between_activations(images, steps):
    torch.manual_seed(4)
    model = nn.Sequential(nn.Flatten(), nn.Linear(50, 6), nn.Softplus(), nn.Linear(6, 4)).double()
    explainer = IntegratedGradients(
        model, input_layer=1, rule="gauss-legendre", steps=steps, baseline_value=-0.5
    )
    result = explainer.attribute(images.double(), 2)
    hidden = model[:2](images.double()).detach()
    difference = (model[2:](hidden) - model[2:](torch.full_like(hidden, -0.5)))[:, 2].detach()
    sums = result.values.sum(1)
    np.testing.assert_allclose(result.completeness_gap, (sums - difference).numpy(), atol=1e-12)
    # The rule is exact for polynomials of degree 2 n - 1; the path through softplus is smooth.
    torch.testing.assert_close(sums, difference, atol={3: 1e-3, 17: 1e-10}[steps], rtol=0)


@pytest.mark.parametrize("source", ["portable", "native"])
def test_noise_on_activations_follows_seed_sample_and_draw_alone(model, images, source):
    def explain(seed=3, x=images, **common):
        explainer = SmoothGrad(
            model, input_layer="conv", nb_samples=6, seed=seed, noise_source=source, **common
        )
        return explainer.explain(x, 1)

    reference = explain()
    assert torch.equal(explain(), reference)
    for batch_size in (1, 4, None):
        torch.testing.assert_close(explain(batch_size=batch_size), reference, atol=1e-7, rtol=1e-5)
    torch.testing.assert_close(explain(x=images[:1]), reference[:1], atol=1e-7, rtol=1e-5)
    assert (explain(seed=4) - reference).abs().max() > 1e-4


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.left = nn.Linear(3, 4)
        self.right = nn.Linear(3, 2)

    def forward(self, x):
        return self.left(x).square().sum(1) + 3 * self.right(x).sum(1)


@pytest.mark.parametrize("by", ["name", "object"])
def test_several_layers_give_a_dict(by):
    model, x = Branches(), torch.randn(5, 3)
    layers = ["left", "right"] if by == "name" else [model.left, model.right]
    explainer = IntegratedGradients(
        model, input_layer=layers, steps=5, rule="midpoint", batch_size=7
    )
    result = explainer.attribute(x)
    assert list(result.values) == ["left", "right"]
    # Between zero and the activations the gradient of a square is linear: its mean is h.
    torch.testing.assert_close(result.values["left"], model.left(x).detach().square())
    torch.testing.assert_close(result.values["right"], 3 * model.right(x).detach())
    np.testing.assert_allclose(result.completeness_gap, 0, atol=1e-5)


def test_one_layer_in_a_list_is_a_dict_too():
    model, x = Branches(), torch.randn(5, 3)
    values = polyattr.GradientInput(model, input_layer=["right"]).explain(x)
    torch.testing.assert_close(values, {"right": 3 * model.right(x).detach()})


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)

    def forward(self, x):
        return self.inner(self.inner(x))


def test_a_layer_that_is_called_twice_is_an_error(untouched):
    model, x = Twice(), torch.randn(2, 3)
    with untouched(model, x), pytest.raises(InputError, match=r"'inner' is called 2 times"):
        polyattr.Saliency(model, input_layer="inner").explain(x, 1)


def test_one_of_two_calls_of_a_layer():
    model, x = Twice(), torch.randn(2, 3)
    hidden, weight = model.inner(x).detach(), model.inner.weight.detach()[1]
    for layer in ("inner", model.inner):
        first = polyattr.GradientInput(model, input_layer=(layer, 0)).explain(x, 1)
        torch.testing.assert_close(first, hidden * weight)
        both = polyattr.GradientInput(
            model, input_layer=(layer, 1), attribute_to_layer_input=True
        ).explain(x, 1)
        torch.testing.assert_close(both, first)
    scored = polyattr.GradientInput(model, output_layer=("inner", 0)).explain(x, 1)
    torch.testing.assert_close(scored, x * weight)


def test_a_layer_that_is_not_called_is_an_error(model, images, untouched):
    with (
        untouched(model, images),
        pytest.raises(LayerNotFoundError, match=r"input_layer 'unused' .* was not called"),
    ):
        polyattr.Saliency(model, input_layer="unused").explain(images, 1)


def test_a_layer_may_go_by_each_of_its_names():
    torch.manual_seed(0)
    model = Branches()
    model.alias = model.left
    x = torch.randn(2, 3)
    first = polyattr.GradientInput(model, input_layer="left").explain(x)
    assert torch.equal(polyattr.GradientInput(model, input_layer="alias").explain(x), first)


def test_hooks_of_the_user_stay_and_what_they_change_counts(model, images, behind, untouched):
    calls = []

    def halve(_module, _args, output):
        calls.append(1)
        return output / 2

    model.conv.register_forward_hook(halve)
    with untouched(model, images):
        values = polyattr.GradientInput(model, input_layer="conv").explain(images, 1)
    assert calls
    hidden = model.conv(images).detach()  # halved by the hook
    expected = polyattr.GradientInput(behind).explain(hidden, 1)
    torch.testing.assert_close(values, expected)


@pytest.mark.parametrize("fail_at", [1, 4, 8])
def test_a_call_that_fails_leaves_no_hooks(model, images, fail_at, untouched):
    calls = []

    def fail(*_):
        calls.append(1)
        if len(calls) == fail_at:
            raise RuntimeError("the model gave up")

    model.head[1].register_forward_pre_hook(fail)
    explainer = IntegratedGradients(model, input_layer="conv", batch_size=7)
    with untouched(model, images), pytest.raises(RuntimeError, match="gave up"):
        explainer.explain(images, 1)
    assert len(calls) == fail_at
    plain = IntegratedGradients(Classifier().eval(), input_layer="conv", batch_size=7)
    assert torch.equal(explainer.explain(images, 1), plain.explain(images, 1))


@pytest.mark.parametrize(
    ("layer", "error", "message"),
    [
        ("cnov", LayerNotFoundError, "Did you mean 'conv'"),
        (4, LayerNotFoundError, "input_layer is 4; the model has 4 children"),
        (nn.Linear(2, 2), LayerNotFoundError, "input_layer is a Linear that is not part"),
        (1.5, polyattr.InputTypeError, "input_layer is 1.5; expected an index"),
        ([], InputError, "empty list"),
        (["conv", "conv"], InputError, "each layer once"),
    ],
)
def test_a_wrong_layer_is_named(model, layer, error, message):
    with pytest.raises(error, match=message):
        polyattr.Saliency(model, input_layer=layer)
