"""The caller's module, tensors and settings come back as they were, also from a failing call."""

import contextlib
import copy
import functools

import pytest
import torch
from labs import METHODS, on_images
from torch import nn

import polyattr
from polyattr import IntegratedGradients, SmoothGrad, TrainingModeWarning


class Network(nn.Module):
    """Every layer that behaves differently in training, and raises at a chosen call."""

    def __init__(self, fail_at=None):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(0.5))
        self.head = nn.Linear(27, 4)
        self.calls, self.fail_at = 0, fail_at

    def forward(self, x):
        self.calls += 1
        if self.calls == self.fail_at:
            raise RuntimeError("the model gave up")
        return self.head(self.body(x).flatten(1))


@pytest.fixture
def network():
    torch.manual_seed(0)
    model = Network()
    model(torch.randn(8, 2, 5, 5))  # running statistics that are not the initial ones
    model.calls = 0
    return model


@pytest.fixture
def images():
    return torch.randn(3, 2, 5, 5, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("method", METHODS)
def test_a_model_in_training_is_explained_in_inference_mode(network, images, method, untouched):
    method = on_images(method)
    reference = method(copy.deepcopy(network).eval(), batch_size=7).explain(images, 2)
    with untouched(network, images), pytest.warns(TrainingModeWarning, match="BatchNorm"):
        values = method(network.train(), batch_size=7).explain(images, 2)
    assert torch.equal(values, reference)
    assert values.abs().sum() > 0


@pytest.mark.parametrize("call", ["explain", "attribute", "__call__"])
def test_the_warning_points_at_the_callers_line(network, images, call):
    with pytest.warns(TrainingModeWarning) as caught:
        getattr(polyattr.Saliency(network.train()), call)(images, 2)
    assert [warning.filename for warning in caught] == [__file__]


def test_mixed_training_flags_come_back_one_by_one(network, images, untouched):
    network.train()
    network.body[1].eval()
    network.head.eval()
    with untouched(network, images), pytest.warns(TrainingModeWarning):
        values = IntegratedGradients(network).explain(images, 0)
    flags = {name: module.training for name, module in network.named_modules()}
    assert flags == {
        "": True,
        "body": True,
        "body.0": True,
        "body.1": False,
        "body.2": True,
        "body.3": True,
        "head": False,
    }
    assert torch.equal(values, IntegratedGradients(network.eval()).explain(images, 0))


def test_training_flags_that_change_nothing_give_no_warning(images, untouched):
    model = nn.Sequential(nn.Flatten(), nn.Linear(50, 4)).train()
    with untouched(model, images):  # a warning would be an error here
        values = polyattr.Saliency(model).explain(images, 1)
    expected = model[1].weight[1].abs().reshape(2, 5, 5).expand_as(images)
    torch.testing.assert_close(values, expected.detach())


@pytest.mark.parametrize("kind", [nn.LSTM, nn.MultiheadAttention, nn.TransformerEncoderLayer])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_layers_with_dropout_inside_count_only_if_they_drop(kind, dropout, untouched):
    torch.manual_seed(4)
    sizes = {nn.LSTM: (6, 6, 2), nn.MultiheadAttention: (6, 2), nn.TransformerEncoderLayer: (6, 2)}
    layer = kind(*sizes[kind], dropout=dropout, batch_first=True).train()

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self, x):
            read = self.layer(*[x] * (3 if kind is nn.MultiheadAttention else 1))
            return (read[0] if isinstance(read, tuple) else read)[:, -1]

    model, x = Reader().train(), torch.randn(2, 4, 6)
    reference = polyattr.Saliency(copy.deepcopy(model).eval()).explain(x, 3)
    expected = pytest.warns(TrainingModeWarning) if dropout else contextlib.nullcontext()
    with untouched(model, x), expected:
        values = polyattr.Saliency(model).explain(x, 3)
    assert torch.equal(values, reference)


@pytest.mark.parametrize("fail_at", [1, 2, 3, 7])
@pytest.mark.parametrize("layer", [None, "body.2"])
def test_a_model_that_raises_half_way_comes_back_too(network, images, fail_at, layer, untouched):
    network.train()
    network.body[3].eval()
    explainer = IntegratedGradients(network, batch_size=7, output_layer=layer)
    target = 1 if layer is None else (0, 1, 1)
    network.fail_at = fail_at
    with (
        untouched(network, images),
        pytest.warns(TrainingModeWarning),
        pytest.raises(RuntimeError, match="gave up"),
    ):
        explainer.explain(images, target)
    # One that fails when it is tried is asked once more, whether it does so again.
    assert network.calls in {fail_at, fail_at + 1}
    network.fail_at = None
    with pytest.warns(TrainingModeWarning):
        again = explainer.explain(images, target)
    fresh = IntegratedGradients(network.eval(), batch_size=7, output_layer=layer)
    assert torch.equal(again, fresh.explain(images, target))


def test_bad_input_leaves_no_trace_either(network, images, untouched):
    explainer = IntegratedGradients(network.train())
    with (
        untouched(network, images),
        pytest.warns(TrainingModeWarning),
        pytest.raises(polyattr.InputError, match="out of range"),
    ):
        explainer.explain(images, 9)


def test_requires_grad_and_grad_of_parameters_are_the_callers(network, images, untouched):
    network.eval()
    network.head.weight.requires_grad_(False)
    network(images).square().sum().backward()
    assert network.head.bias.grad is not None
    with untouched(network, images):
        IntegratedGradients(network).attribute(images, 3)
        SmoothGrad(network, nb_samples=4).attribute(images, 3)


def test_an_input_that_requires_grad_is_a_bystander(network, images, untouched):
    network.eval()
    leaf = images.clone().requires_grad_()
    reference = IntegratedGradients(network).explain(images, 3)
    with untouched(network, leaf):
        values = IntegratedGradients(network).explain(leaf, 3)
        result = IntegratedGradients(network).attribute(leaf * 1.0, 3, baselines=leaf * 0.0)
    assert leaf.grad is None
    assert not values.requires_grad
    assert not result.values.requires_grad
    assert torch.equal(values, reference)
    assert torch.equal(result.values, reference)


@pytest.mark.parametrize("source", ["portable", "native"])
def test_random_state_is_the_callers_whatever_the_model_draws(images, source, untouched):
    states = []

    class Noisy(nn.Module):
        def forward(self, x):
            states.append(torch.rand(()).item())
            return nn.functional.dropout(x, 0.5, training=True).flatten(1)

    model = Noisy()
    smooth = SmoothGrad(model, nb_samples=6, noise_source=source)
    with untouched(model, images):
        with pytest.warns(polyattr.RandomModelWarning):
            first = smooth.explain(images, 1)
        with pytest.warns(polyattr.RandomModelWarning):
            second = SmoothGrad(model, nb_samples=6, noise_source=source).explain(images, 1)
    assert len(set(states)) > 1
    assert torch.equal(first, second)
    assert set(first.unique().tolist()) != {0.0}


def test_hooks_of_the_user_stay_and_fire(network, images, untouched):
    seen = []
    network.eval().body.register_forward_hook(lambda *_: seen.append("body"))
    with untouched(network, images):
        IntegratedGradients(network, output_layer="body.0").explain(images, (0, 1, 1))
    assert seen
    assert len(network.body._forward_hooks) == 1
    assert not network.body[0]._forward_hooks


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_the_callers_grad_mode_neither_matters_nor_changes(network, images, mode, untouched):
    network.eval()
    reference = IntegratedGradients(network).explain(images, 2)
    with mode():
        given = images * 1.0  # an inference tensor inside inference mode
        with untouched(network):
            values = IntegratedGradients(network).explain(given, 2)
            smooth = SmoothGrad(network, nb_samples=4).attribute(given)
            path = IntegratedGradients(network).attribute(given, 2, baselines=given * 0.0)
        assert torch.is_inference_mode_enabled() == (mode is torch.inference_mode)
    assert torch.equal(values, reference)
    assert torch.equal(path.values, reference)
    assert torch.isfinite(smooth.values).all()


def test_parameters_made_in_inference_mode_cannot_be_differentiated_but_stay(images, untouched):
    with torch.inference_mode():
        model = nn.Sequential(nn.Flatten(), nn.Linear(50, 4))
    with untouched(model, images), pytest.raises(RuntimeError, match=r"[Ii]nference tensor"):
        polyattr.GradientInput(model).explain(images, 1)


def test_targets_made_in_inference_mode(images):
    model = nn.Sequential(nn.Flatten(), nn.Linear(50, 4))
    with torch.inference_mode():
        weights = torch.tensor([[0.0, 1.0, 0.0, 0.5]] * 3)
        values = polyattr.GradientInput(model).explain(images, weights)
    direction = (model[1].weight[1] + 0.5 * model[1].weight[3]).detach()
    torch.testing.assert_close(values, images * direction.reshape(2, 5, 5))


WITHOUT_THE_MODULE = {
    "closure": lambda network: lambda x: network(x),
    "method": lambda network: network.forward,
    "partial": lambda network: functools.partial(lambda model, x: model(x), network),
    "default": lambda network: lambda x, models=(network,): models[0](x),
    "nested": lambda network: lambda x: (lambda z: network(z))(x),
    "compiled": lambda network: torch.compile(lambda x: network(x), backend="eager"),
}


# torch.compile reads .grad of every input and keeps the warning from being printed, not raised.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf:UserWarning")
@pytest.mark.parametrize("kind", WITHOUT_THE_MODULE)
def test_modules_a_function_refers_to_are_treated_alike(network, images, kind, untouched):
    reference = IntegratedGradients(network.eval()).explain(images, 2)
    network.train()
    model = WITHOUT_THE_MODULE[kind](network)
    with untouched(network, images), pytest.warns(TrainingModeWarning):
        values = IntegratedGradients(model).explain(images, 2)
    assert torch.equal(values, reference)
