"""polyattr on every backend against xplique on TensorFlow, where xplique is right.

Left out: VarGrad, a difference of squares in float32, and everything with `output_layer`, which
has no effect (see the tests of what it gets wrong). Its Integrated Gradients are the trapezoid rule
over `steps` points, both ends included, as ours are by default.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf
from drawn_models import CASES
from labs.closeness import assert_close
from xplique import attributions
from xplique.attributions.gradient_statistics.gradient_statistic import GradientStatistic

import polyattr
from polyattr.sampling.noise import portable_noise

DRAWS, NOISE, SEED = 8, 0.3, 7
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def ours(lab, case, name, **settings):
    model, layer = case.model(lab.name)
    method = getattr(polyattr, name)(model, backend=lab.name, output_layer=layer, **settings)
    return lab.numpy(method.explain(lab.tensor(case.x), case.targets))


def xpliques(case, name, **settings):
    weights = np.eye(case.classes, dtype=np.float32)[case.targets]
    method = getattr(attributions, name)(case.logits("tensorflow"), **settings)
    return method.explain(case.x, weights).numpy()


@functools.cache
def without_noise(case, name, **settings):
    return xpliques(case, name, **settings)


@each_case
@pytest.mark.parametrize("name", ["Saliency", "GradientInput"])
def test_one_gradient(lab, case, name):
    assert_close(ours(lab, case, name), without_noise(case, name))


@each_case
@pytest.mark.parametrize(("steps", "start"), [(2, 0.0), (13, -0.25)])
def test_integrated_gradients(lab, case, steps, start):
    settings = {"steps": steps, "baseline_value": start}
    found = ours(lab, case, "IntegratedGradients", **settings)
    assert_close(found, without_noise(case, "IntegratedGradients", **settings))


def same_noise(x, count, noise):
    """Takes the place of xplique's drawing: `count` noisy copies of each sample, our draws."""
    draws = [portable_noise(SEED, draw, 0, tuple(x.shape[1:])) for draw in range(count)]
    copies = x[:, None] + noise * tf.constant(np.stack(draws))
    return tf.reshape(copies, (-1, *x.shape[1:]))


@each_case
@pytest.mark.parametrize("name", ["SmoothGrad", "SquareGrad"])
def test_noisy_methods_given_the_same_noise(lab, case, name, monkeypatch):
    monkeypatch.setattr(GradientStatistic, "_perturb_samples", staticmethod(same_noise))
    # All draws of a sample in one batch: the replacement knows no draw but the first ones.
    expected = xpliques(case, name, nb_samples=DRAWS, noise=NOISE, batch_size=DRAWS)
    paired = {"antithetic": False} if name == "SmoothGrad" else {}
    found = ours(lab, case, name, nb_samples=DRAWS, noise=NOISE, seed=SEED, **paired)
    assert_close(found, expected)
