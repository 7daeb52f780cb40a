"""captum 0.9.0's wrong answers, reproduced, each beside polyattr's right one.

When a later captum is right, the test of it fails: its row then leaves this list, and the test in
tests/peers/rows loses its comment.
"""

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, NoiseTunnel, Saliency
from labs.closeness import assert_close
from torch import nn

import polyattr

X = torch.tensor(np.random.default_rng(501).standard_normal((4, 30)), dtype=torch.float32)
WEIGHTS = torch.linspace(500, 1500, 30)
of_leaves = pytest.mark.filterwarnings(
    "ignore:Input Tensor 0 did not already require gradients:UserWarning"
)


def linear(x):
    return (x * WEIGHTS.to(x.dtype)).sum(1)


def nearly_linear(x):
    """Its gradient is 1000 + 0.01 x, so under noise of 0.2 it varies by 4e-6."""
    return (1000 * x + 0.005 * x * x).sum(1)


def cube(x):
    return (x**3).sum(1)


@pytest.mark.parametrize("steps", [2, 50])
def test_trapezoid_is_short_on_a_linear_model(steps):
    theirs = IntegratedGradients(linear).attribute(X, n_steps=steps, method="riemann_trapezoid")
    assert_close(theirs.detach(), X * WEIGHTS * (steps - 1) / steps)
    ours = polyattr.IntegratedGradients(linear, backend="torch", steps=steps).explain(X)
    assert_close(ours, X * WEIGHTS)


def test_float64_is_limited_by_float32_weights():
    x = X.double()
    exact = x**3  # two Gauss-Legendre points integrate 3 t^2 exactly
    theirs = IntegratedGradients(cube).attribute(x, n_steps=13)
    assert 1e-10 < ((theirs - exact) / exact).abs().max() < 1e-6
    method = polyattr.IntegratedGradients(cube, backend="torch", rule="gauss-legendre", steps=13)
    assert_close(method.explain(x), exact, 1e-14)


def captums_variance(model):
    torch.manual_seed(0)
    tunnel = NoiseTunnel(Saliency(model))
    return tunnel.attribute(X, nt_type="vargrad", nt_samples=50, stdevs=0.2, abs=False)


def test_variance_is_negative_at_gradients_of_1000():
    assert captums_variance(nearly_linear).min() < -0.1
    ours = polyattr.VarGrad(nearly_linear, backend="torch", noise=0.2).explain(X)
    assert ours.min() > 1e-6
    assert ours.max() < 1e-5


def test_variance_of_a_linear_model_is_not_zero():
    assert captums_variance(linear).abs().max() > 0.1
    assert (polyattr.VarGrad(linear, backend="torch").explain(X) == 0).all()


def test_batch_norm_statistics_are_changed():
    model = nn.Sequential(nn.BatchNorm1d(30), nn.Linear(30, 2)).train()
    norm = model[0]
    with pytest.warns(polyattr.TrainingModeWarning):
        polyattr.IntegratedGradients(model).explain(X, 0)
    assert (norm.running_mean == 0).all()
    IntegratedGradients(model).attribute(X, target=0)
    assert norm.running_mean.abs().max() > 0.01


def test_integrated_gradients_turn_half_precision_into_float32():
    x = X.half()
    assert IntegratedGradients(cube).attribute(x).dtype is torch.float32
    assert polyattr.IntegratedGradients(cube, backend="torch").explain(x).dtype is torch.float16


def test_noise_tunnel_crashes_on_a_half_precision_model():
    model = nn.Linear(30, 2).half()
    with pytest.raises(RuntimeError, match="dtype"):
        NoiseTunnel(Saliency(model)).attribute(X.half(), nt_samples=4, target=0)
    ours = polyattr.SmoothGrad(model).explain(X.half(), 0)
    assert_close(ours, model.weight[:1].detach().expand(4, -1), 2.0**-11)


@of_leaves
def test_a_failure_leaves_requires_grad_behind():
    def gives_up(x):
        raise RuntimeError("the model gave up")

    x = X.clone()
    with pytest.raises(RuntimeError, match="gave up"):
        polyattr.Saliency(gives_up, backend="torch").explain(x)
    assert not x.requires_grad
    with pytest.raises(RuntimeError, match="gave up"):
        Saliency(gives_up).attribute(x)
    assert x.requires_grad


@of_leaves
def test_input_x_gradient_needs_detach():
    assert InputXGradient(cube).attribute(X.clone()).requires_grad
    assert not polyattr.GradientInput(cube, backend="torch").explain(X).requires_grad


@of_leaves
def test_a_dict_output_has_no_shape():
    def model(x):
        return {"logits": x}

    with pytest.raises(AttributeError, match="'dict' object has no attribute 'shape'"):
        Saliency(model).attribute(X.clone(), target=0)
    ours = polyattr.GradientInput(model, backend="torch", output="logits").explain(X, 1)
    assert (ours == X * torch.eye(30)[1]).all()


@pytest.mark.filterwarnings("ignore:Internal batch size cannot be less than:UserWarning")
def test_rows_are_neither_bounded_by_default_nor_below_n():
    sizes = []

    def model(x):
        sizes.append(len(x))
        return cube(x)

    IntegratedGradients(model).attribute(X)
    assert max(sizes) == 4 * 50
    sizes.clear()
    IntegratedGradients(model).attribute(X, internal_batch_size=2)
    assert max(sizes) == 4
    sizes.clear()
    polyattr.IntegratedGradients(model, backend="torch", batch_size=2).explain(X)
    assert max(sizes) == 2


def test_shapes_in_messages_are_multiplied_by_the_steps():
    method = IntegratedGradients(lambda x: x)
    with pytest.raises(AssertionError, match=r"\[150\].*\[200, 30\]"):
        method.attribute(X, target=torch.tensor([0, 1, 2]))
    with pytest.raises(polyattr.InputError, match=r"\(3,\).*\(4,\).*\(4, 30\)"):
        polyattr.IntegratedGradients(lambda x: x, backend="torch").explain(X, [0, 1, 2])
