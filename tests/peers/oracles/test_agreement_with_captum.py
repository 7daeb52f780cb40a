"""polyattr on every backend against captum on PyTorch, where captum is right.

Left out: captum's riemann_trapezoid, whose weights do not sum to 1 (see the tests of what it gets
wrong). Its other rules have the nodes and weights of ours: left i / n, right (i + 1) / n, middle
(i + 1/2) / n for i = 0 .. n - 1, all of weight 1 / n, and Gauss-Legendre.
"""

import functools

import numpy as np
import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients, NoiseTunnel, Saliency
from drawn_models import CASES
from labs.closeness import assert_close

import polyattr
from polyattr.sampling.noise import portable_noise

pytestmark = pytest.mark.filterwarnings(
    "ignore:Input Tensor 0 did not already require gradients:UserWarning"
)
STEPS, DRAWS, NOISE, SEED = 13, 8, 0.3, 7
CAPTUM_RULES = {
    "left": "riemann_left",
    "right": "riemann_right",
    "midpoint": "riemann_middle",
    "gauss-legendre": "gausslegendre",
}
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def ours(lab, case, name, baselines=None, **settings):
    model, layer = case.model(lab.name)
    method = getattr(polyattr, name)(model, backend=lab.name, output_layer=layer, **settings)
    given = {} if baselines is None else {"baselines": lab.tensor(baselines)}
    return lab.numpy(method.explain(lab.tensor(case.x), case.targets, **given))


def captums(kind, case, model=None, dtype=torch.float32, **settings):
    given = {"target": torch.tensor(case.targets), **settings}
    x = torch.tensor(case.x, dtype=dtype)
    found = kind(case.logits("torch") if model is None else model).attribute(x, **given)
    return found.detach().numpy()


@each_case
def test_saliency(lab, case):
    assert_close(ours(lab, case, "Saliency"), captums(Saliency, case, abs=True))


@each_case
def test_input_x_gradient(lab, case):
    assert_close(ours(lab, case, "GradientInput"), captums(InputXGradient, case))


@functools.cache
def integrated(case, rule):
    settings = {"method": CAPTUM_RULES[rule], "n_steps": STEPS}
    return captums(IntegratedGradients, case, baselines=torch.tensor(case.baselines), **settings)


@each_case
@pytest.mark.parametrize("rule", CAPTUM_RULES)
def test_integrated_gradients(lab, case, rule):
    found = ours(lab, case, "IntegratedGradients", case.baselines, rule=rule, steps=STEPS)
    assert_close(found, integrated(case, rule))


def same_noise(x, stdev, count):
    """Takes the place of captum's drawing: `count` noisy copies of each sample, with our draws."""
    draws = [portable_noise(SEED, draw, 0, tuple(x.shape[1:])) for draw in range(count)]
    noise = stdev * torch.tensor(np.stack(draws), dtype=x.dtype)
    return (x[:, None] + noise).reshape(-1, *x.shape[1:])


# The unbiased variance divides by n - 1, captum's by n.
KINDS = {
    "SmoothGrad": ("smoothgrad", 1.0),
    "SquareGrad": ("smoothgrad_sq", 1.0),
    "VarGrad": ("vargrad", DRAWS / (DRAWS - 1)),
}


@each_case
@pytest.mark.parametrize("name", KINDS)
def test_noise_tunnel_given_the_same_noise(lab, case, name, monkeypatch):
    monkeypatch.setattr(NoiseTunnel, "_add_noise_to_input", staticmethod(same_noise))
    kind, factor = KINDS[name]
    settings = {"nt_type": kind, "nt_samples": DRAWS, "stdevs": NOISE, "abs": False}

    def tunnel(model):
        return NoiseTunnel(Saliency(model))

    # In float64: captum's difference of squares is not to be trusted in float32.
    model = copy_in_float64(case.logits("torch"))
    expected = factor * captums(tunnel, case, model, torch.float64, **settings)
    paired = {"antithetic": False} if name == "SmoothGrad" else {}
    found = ours(lab, case, name, nb_samples=DRAWS, noise=NOISE, seed=SEED, **paired)
    assert_close(found, expected)


def copy_in_float64(model):
    import copy

    return copy.deepcopy(model).double()


@pytest.mark.parametrize("case", [*CASES[::3][:3], CASES[-1]], ids=lambda case: case.name)
def test_smoothgrad_with_noise_of_their_own(lab, case):
    # Nothing shared: two estimates of one expectation, so within four of their standard errors.
    torch.manual_seed(0)
    count = 100
    theirs = captums(
        lambda model: NoiseTunnel(Saliency(model)), case, nt_samples=count, stdevs=NOISE, abs=False
    )
    model, layer = case.model(lab.name)
    method = polyattr.SmoothGrad(
        model,
        backend=lab.name,
        output_layer=layer,
        nb_samples=count,
        noise=NOISE,
        antithetic=False,
    )
    result = method.attribute(lab.tensor(case.x), case.targets)
    values = lab.numpy(result.values).reshape(len(case.x), -1)
    distance = np.linalg.norm(values - theirs.reshape(len(case.x), -1), axis=1)
    # Both are means of `count` independent draws: equal standard errors.
    allowed = 4 * np.sqrt(2) * result.error * np.linalg.norm(values, axis=1)
    assert (distance > 0).all()
    assert (distance <= allowed).all()
