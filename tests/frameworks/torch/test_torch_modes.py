"""What is read is what is differentiated, whatever torch or the model do without gradients."""

import numpy as np
import pytest
import torch
from torch import nn

import polyattr


def differences(score, x, step=1e-5):
    """The gradient of each row's score, by central differences in float64."""
    found = torch.zeros_like(x)
    for i in np.ndindex(*x.shape[1:]):
        moved = torch.zeros_like(x)
        moved[(slice(None), *i)] = step
        found[(slice(None), *i)] = (score(x + moved) - score(x - moved)).detach() / (2 * step)
    return found


def drawn(*shape):
    generator = torch.Generator().manual_seed(3)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


class Encoder(nn.Module):
    """Averages an encoder's outputs over all places, padded ones included."""

    def __init__(self, kind):
        super().__init__()
        torch.manual_seed(0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.body = {
            "encoder": lambda: nn.TransformerEncoder(layer, 2),
            "layer": lambda: layer,
            "attention": lambda: nn.MultiheadAttention(8, 2, batch_first=True),
        }[kind]()
        self.head = nn.Linear(8, 3)

    def forward(self, x, padded):
        if isinstance(self.body, nn.MultiheadAttention):
            hidden = self.body(x, x, x, key_padding_mask=padded, need_weights=False)[0]
        else:
            hidden = self.body(x, src_key_padding_mask=padded)
        return self.head(hidden.mean(1))


PADDED = torch.tensor([[0, 0, 0, 0], [0, 0, 0, 1], [0, 1, 1, 1]], dtype=torch.bool)


@pytest.mark.parametrize("kind", ["encoder", "layer", "attention"])
@pytest.mark.parametrize("frozen", [False, True])
def test_padding_is_read_as_it_is_differentiated(kind, frozen):
    model = Encoder(kind).double().eval().requires_grad_(not frozen)
    x, start = drawn(3, 4, 8), 0.5 * drawn(1, 4, 8)[0] + 1
    beside = {"forward_kwargs": {"padded": PADDED}}

    def score(z):
        with torch.enable_grad():  # the plain path, which has a gradient
            return model(z.requires_grad_(), PADDED)[:, 1]

    for rule in ("gauss-legendre", "trapezoid"):
        result = polyattr.IntegratedGradients(model, steps=300, rule=rule).attribute(
            x, 1, baselines=start, **beside
        )
        np.testing.assert_allclose(result.scores, score(x.clone()).detach(), rtol=1e-12)
        assert (abs(result.completeness_gap) < 1e-3).all()
    found = polyattr.GradientInput(model).explain(x, 1, **beside)
    torch.testing.assert_close(found, x * differences(score, x), rtol=1e-6, atol=1e-8)
    assert torch.backends.mha.get_fastpath_enabled()


def test_padding_before_a_layer_that_is_attributed_to():
    """What goes round the layer is computed without recording, and the same nevertheless."""

    class Beside(Encoder):
        def __init__(self):
            super().__init__("encoder")
            self.gate = nn.Tanh()

        def forward(self, x, padded):
            hidden = self.body(x, src_key_padding_mask=padded)
            return (self.gate(x) * hidden).sum((1, 2))

    model = Beside().double().eval()
    x = drawn(3, 4, 8)
    with torch.enable_grad():
        hidden = model.body(x.clone().requires_grad_(), src_key_padding_mask=PADDED).detach()
    method = polyattr.GradientInput(model, input_layer="gate")
    result = method.attribute(x, forward_kwargs={"padded": PADDED})
    torch.testing.assert_close(result.values, torch.tanh(x) * hidden)
    np.testing.assert_allclose(result.scores, (torch.tanh(x) * hidden).sum((1, 2)))


def by_the_mode(x):
    """As fused layers do it, but for everybody to see."""
    return (x**2).sum(1) if torch.is_grad_enabled() else x.sum(1)


class Conserved(nn.Module):
    """A potential and the force of it, as in molecular dynamics."""

    def __init__(self, by):
        super().__init__()
        torch.manual_seed(1)
        self.body = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()
        self.by = by

    def energy(self, x):
        return self.body(x).sum()

    def forward(self, x):
        return (self.by(self, x) ** 2).sum(1)


def _taken(model, x):
    return torch.autograd.grad(model.energy(x), x, create_graph=True)[0]


def _required(model, x):
    return _taken(model, x.requires_grad_())


def _jacobian(model, x):
    return torch.autograd.functional.jacobian(model.energy, x, create_graph=True)


def _functional(model, x):
    return torch.func.grad(model.energy)(x)


def _mapped(model, x):
    return torch.func.vmap(torch.func.jacrev(model.energy))(x)


def _forward_mode(model, x):
    return torch.func.vmap(torch.func.jacfwd(model.energy))(x)


FORCES = {
    f.__name__[1:]: f for f in (_taken, _required, _jacobian, _functional, _mapped, _forward_mode)
}


# torch itself calls what it advises against, at the first forward derivative.
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")
@pytest.mark.parametrize("by", FORCES)
@pytest.mark.parametrize("as_function", [False, True])
@pytest.mark.parametrize("given", ["tensor", "array"])
def test_a_model_that_differentiates_itself(by, as_function, given):
    model = Conserved(FORCES[by])
    x = drawn(4, 3)

    def score(z):
        with torch.enable_grad():
            return Conserved.forward(model, z.detach().requires_grad_())

    expected = differences(score, x)
    explained = (lambda z: model(z)) if as_function else model
    inputs = x if given == "tensor" else x.numpy()
    with torch.no_grad():  # as users have it who evaluate
        result = polyattr.GradientInput(explained, backend="torch").attribute(inputs)
    torch.testing.assert_close(result.values, x * expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(result.scores, score(x).detach())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    path = polyattr.IntegratedGradients(explained, backend="torch", steps=64)
    assert (path.attribute(inputs, baselines=0.25).error < 1e-2).all()


class Placed(Conserved):
    """Forces on atoms whose kinds are embedded: attributed to, beside the positions, or by them."""

    def __init__(self):
        super().__init__(None)
        self.kinds = nn.Linear(2, 3).double()

    def forward(self, kinds, positions):
        energy = self.body(torch.tanh(self.kinds(kinds)) * positions).sum()
        return (torch.autograd.grad(energy, positions, create_graph=True)[0] ** 2).sum(1)


@pytest.mark.parametrize("given", ["recorded", "plain", "array"])
@pytest.mark.parametrize("batch_size", [1, 3, None])
def test_a_model_that_differentiates_by_what_comes_beside(given, batch_size):
    model, kinds, positions = Placed(), drawn(4, 2), drawn(4, 3)

    def score(z):
        with torch.enable_grad():
            return model(z, positions.clone().requires_grad_())

    expected = differences(score, kinds)
    beside = {
        "recorded": positions.clone().requires_grad_(),
        "plain": positions,
        "array": positions.numpy(),
    }[given]
    method = polyattr.GradientInput(model, batch_size=batch_size)
    result = method.attribute(kinds, forward_args=(beside,))
    torch.testing.assert_close(result.values, kinds * expected, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(result.scores, score(kinds).detach())
    at_layer = polyattr.GradientInput(model, input_layer="kinds").explain(
        kinds, forward_args=(beside,)
    )
    assert at_layer.shape == (4, 3)
    assert not positions.requires_grad


def test_a_layer_that_the_models_own_gradient_goes_through():
    class Through(Conserved):
        def energy(self, x):
            return self.body(x).sum()

    method = polyattr.Saliency(Through(FORCES["required"]), input_layer="body.0")
    with pytest.raises(polyattr.ModelOutputError, match=r"gradient of its own through 'body\.0'"):
        method.explain(drawn(4, 3))


@pytest.mark.parametrize("batch_size", [1, 2, None])
def test_a_model_that_asks_for_the_mode(batch_size):
    x = drawn(4, 3)
    method = polyattr.IntegratedGradients(by_the_mode, rule="midpoint", batch_size=batch_size)
    result = method.attribute(x)
    torch.testing.assert_close(result.values, x**2)
    np.testing.assert_allclose(result.scores, (x**2).sum(1))


@pytest.mark.parametrize("kind", ["assert", "raise", "branch"])
def test_a_model_that_asks_whether_its_input_has_a_gradient(kind):
    def model(x):
        if not x.requires_grad:
            assert kind != "assert"
            if kind == "raise":
                raise ValueError("expected positions with requires_grad=True")
            return x.sum(1)
        return (x**2).sum(1)

    x = drawn(4, 3)
    result = polyattr.IntegratedGradients(model, rule="midpoint").attribute(x)
    torch.testing.assert_close(result.values, x**2)
    np.testing.assert_allclose(result.scores, (x**2).sum(1))


def test_an_operator_that_differentiates():
    """The size of a classifier's gradient, as robustness is measured."""
    torch.manual_seed(2)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()

    def slope(network, inputs, targets):
        (taken,) = torch.autograd.grad(network(inputs)[:, 1].sum(), inputs, create_graph=True)
        return (taken**2).sum(1)

    x = drawn(4, 3)
    expected = differences(lambda z: slope(model, z.requires_grad_(), None), x)
    method = polyattr.IntegratedGradients(model, operator=slope, steps=64, rule="gauss-legendre")
    result = method.attribute(x)
    assert (abs(result.completeness_gap) < 1e-10).all()
    found = polyattr.GradientInput(model, operator=slope).explain(x)
    torch.testing.assert_close(found, x * expected, rtol=1e-6, atol=1e-8)


def test_a_model_whose_gradient_has_a_graph_in_training_only():
    class Forces(Conserved):
        def forward(self, x):
            energy = self.energy(x)
            return torch.autograd.grad(energy, x, create_graph=self.training)[0].sum(1)

    with pytest.raises(polyattr.ModelOutputError, match=r"itself without create_graph=True\?$"):
        polyattr.Saliency(Forces(None).eval()).explain(drawn(2, 3))


class Burgers(nn.Module):
    """The residual of a differential equation, as physics-informed networks are trained on."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.field = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double()

    def forward(self, x):
        field = self.field(x)[:, 0]
        (slope,) = torch.autograd.grad(field.sum(), x, create_graph=True)
        (bend,) = torch.autograd.grad(slope[:, 0].sum(), x, create_graph=True)
        return slope[:, 1] + field * slope[:, 0] - 0.1 * bend[:, 0]


@pytest.mark.filterwarnings("ignore:the model is in training mode:polyattr.TrainingModeWarning")
@pytest.mark.parametrize("training", [False, True])
def test_the_residual_of_a_differential_equation(training):
    model, x = Burgers().train(training), drawn(5, 2)
    expected = differences(lambda z: model(z.requires_grad_()), x)
    found = polyattr.GradientInput(model).explain(x)
    torch.testing.assert_close(found, x * expected, rtol=1e-6, atol=1e-8)
    path = polyattr.IntegratedGradients(model, steps=64, rule="gauss-legendre").attribute(x)
    assert (abs(path.completeness_gap) < 1e-10).all()
    smooth = polyattr.SmoothGrad(model, nb_samples=4, noise=0.0).explain(x)
    torch.testing.assert_close(smooth, expected, rtol=1e-6, atol=1e-8)
    trained = polyattr.GradientInput(model).function(x)(x)
    torch.testing.assert_close(trained.detach(), found)
    assert trained.requires_grad
    assert model.training == training


def test_a_model_that_frees_the_graph_of_its_gradient():
    def forces(x):
        energy = (x**3).sum(1)
        return torch.autograd.grad(energy.sum(), x)[0].sum(1) + energy

    with pytest.raises(polyattr.ModelOutputError, match="create_graph=True"):
        polyattr.Saliency(forces, backend="torch").explain(drawn(2, 3))
