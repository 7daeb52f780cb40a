"""Models that run parts of themselves again in the backward pass, and kernels that refuse one."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint, checkpoint_sequential

import polyattr
from polyattr_torch.running import evaluation

pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad:UserWarning")


def drawn(*shape):
    generator = torch.Generator().manual_seed(5)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


class Saved(nn.Module):
    """Runs its body in a checkpoint, of either kind or none."""

    def __init__(self, reentrant, parts=1):
        super().__init__()
        torch.manual_seed(0)
        self.stem = nn.Linear(3, 4)
        self.body = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 4), nn.Softplus())
        self.head = nn.Linear(4, 2)
        self.reentrant, self.parts = reentrant, parts
        self.double()

    def forward(self, x):
        hidden = torch.tanh(self.stem(x))
        if self.reentrant is None:
            return self.head(self.body(hidden))
        if self.parts > 1:
            run = checkpoint_sequential(self.body, self.parts, hidden, use_reentrant=self.reentrant)
            return self.head(run)
        return self.head(checkpoint(self.body, hidden, use_reentrant=self.reentrant))


METHODS = {
    "IntegratedGradients": {"steps": 7, "batch_size": 5},
    "SmoothGrad": {"nb_samples": 6, "batch_size": 5},
    "Saliency": {},
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("as_function", [False, True])
def test_a_checkpoint_changes_nothing(method, reentrant, parts, as_function, untouched):
    model, x = Saved(reentrant, parts), drawn(4, 3)
    model.stem.weight.grad = torch.ones_like(model.stem.weight)

    def attributions(network):
        explained = (lambda z: network(z)) if as_function else network
        make = getattr(polyattr, method)
        return make(explained, backend="torch", **METHODS[method]).attribute(x, 1)

    expected = attributions(Saved(None))
    with untouched(model, x):
        result = attributions(model)
    torch.testing.assert_close(result.values, expected.values)
    np.testing.assert_allclose(result.scores, expected.scores)


@pytest.mark.parametrize("reentrant", [True, False])
def test_free_weights_keep_their_gradient(reentrant):
    """A function's own tensors: a training step would add to them, an explanation must not."""
    inside, outside = drawn(3, 4).requires_grad_(), drawn(4).requires_grad_()
    inside.grad, outside.grad = torch.ones(3, 4).double(), torch.ones(4).double()
    kept = inside.grad, outside.grad

    def model(x):
        hidden = checkpoint(lambda z: torch.tanh(z @ inside), x, use_reentrant=reentrant)
        return hidden @ outside

    x = drawn(4, 3)
    found = polyattr.GradientInput(model, backend="torch").explain(x)
    slope = (1 - torch.tanh(x @ inside) ** 2) * outside
    torch.testing.assert_close(found, x * (slope @ inside.T).detach())
    assert (inside.grad, outside.grad) == kept
    assert (inside.grad == 1).all()
    assert (outside.grad == 1).all()


LAYERS = ["body", "body.1", "body.3"]


@pytest.mark.parametrize("layer", ["stem", *LAYERS])
@pytest.mark.parametrize("at_input", [False, True])
def test_a_layer_inside_a_checkpoint(layer, at_input):
    x, start = drawn(4, 3), drawn(3)

    def attributions(network):
        method = polyattr.IntegratedGradients(
            network, input_layer=layer, attribute_to_layer_input=at_input, steps=9, batch_size=5
        )
        return method.attribute(x, 1, baselines=start)

    result, expected = attributions(Saved(False)), attributions(Saved(None))
    assert (expected.values != 0).any()
    torch.testing.assert_close(result.values, expected.values)
    np.testing.assert_allclose(result.completeness_gap, expected.completeness_gap, atol=1e-12)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_score_inside_a_checkpoint(layer):
    x = drawn(4, 3)
    method = polyattr.GradientInput(Saved(False), output_layer=layer)
    expected = polyattr.GradientInput(Saved(None), output_layer=layer).explain(x, 1)
    torch.testing.assert_close(method.explain(x, 1), expected)
    both = polyattr.GradientInput(Saved(False), input_layer="body.1", output_layer="body.2")
    plain = polyattr.GradientInput(Saved(None), input_layer="body.1", output_layer="body.2")
    torch.testing.assert_close(both.explain(x, 1), plain.explain(x, 1))


@pytest.mark.parametrize("settings", [{"input_layer": "body.1"}, {"output_layer": "body.2"}])
def test_a_layer_inside_a_reentrant_checkpoint_is_refused(settings):
    model = Saved(True)
    method = polyattr.GradientInput(model, **settings)
    for _ in range(2):
        with pytest.raises(polyattr.ModelOutputError, match="use_reentrant=False"):
            method.explain(drawn(4, 3), 1)
    assert not any(module._forward_hooks for module in model.modules())


def test_a_layer_of_a_model_that_runs_twice_inside_a_checkpoint_is_refused():
    def product(model, inputs, targets):
        return model(inputs)[:, 0] * model(-inputs)[:, 1]

    saved = polyattr.GradientInput(Saved(False), input_layer="body.1", operator=product)
    with pytest.raises(polyattr.ModelOutputError, match="runs several times for one score"):
        saved.explain(drawn(4, 3))


def test_a_reentrant_checkpoint_cannot_be_trained_through():
    x = drawn(4, 3)
    function = polyattr.GradientInput(Saved(True)).function(x, 1)
    with pytest.raises(polyattr.ModelOutputError, match="use_reentrant=False"):
        function(x)
    found = polyattr.GradientInput(Saved(False)).function(x, 1)(x)
    torch.testing.assert_close(found, polyattr.GradientInput(Saved(None)).function(x, 1)(x))
    assert found.requires_grad


class _ByCudnn(torch.autograd.Function):
    """Says what cuDNN's recurrent layers say in inference mode."""

    @staticmethod
    def forward(ctx, x):
        ctx.fast = torch.backends.cudnn.enabled
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        if ctx.fast:
            raise RuntimeError("cudnn RNN backward can only be called in training mode")
        return 3 * ctx.saved_tensors[0] ** 2 * gradient


@pytest.mark.parametrize("reentrant", [None, True])
def test_a_kernel_without_a_gradient_in_inference_mode_is_replaced(reentrant):
    """Without a GPU there is no cuDNN: a stand-in shows that what it says is answered."""
    modes = []

    def model(x):
        modes.append(torch.backends.cudnn.enabled)
        hidden = x if reentrant is None else checkpoint(torch.tanh, x, use_reentrant=reentrant)
        return _ByCudnn.apply(hidden).sum(1)

    x = drawn(4, 3)
    plain = x if reentrant is None else torch.tanh(x)
    expected = 3 * plain**2 * (1 if reentrant is None else 1 - plain**2)
    deterministic = torch.backends.cudnn.deterministic
    method = polyattr.Saliency(model, backend="torch")
    if reentrant is None:
        torch.testing.assert_close(method.function(x)(x).detach(), expected.abs())
    for _ in range(2):
        modes.clear()
        torch.testing.assert_close(method.explain(x), expected.abs())
    assert modes == [False]  # the second call remembers
    assert torch.backends.cudnn.enabled
    assert torch.backends.cudnn.deterministic == deterministic


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers_on_a_gpu_run_without_cudnn(kind, monkeypatch):
    """Where the layer lies is pretended; that torch then asks for training mode is its own."""
    monkeypatch.setattr(evaluation, "_by_cudnn", lambda module: True)
    modes = []

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.cell = kind(3, 4, num_layers=2, dropout=0.5, batch_first=True)
            self.double()

        def forward(self, x):
            modes.append((torch.backends.cudnn.enabled, self.cell.training))
            return self.cell(x)[0].sum((1, 2))

    model = Reader().eval()
    x = drawn(4, 5, 3)
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(model(leaf).sum(), leaf)
    modes.clear()
    torch.testing.assert_close(polyattr.GradientInput(model).explain(x), x * expected)
    torch.testing.assert_close(polyattr.GradientInput(lambda z: model(z)).explain(x), x * expected)
    assert set(modes) == {(False, False)}
    assert torch.backends.cudnn.enabled
