"""Errors of maps whose squares no float32 holds, and errors that a method inside another has."""

import numpy as np
import pytest

import polyattr

X = np.array([[1.0, 0.5, -0.5], [0.25, 2.0, 1.0]])
BACKGROUND = np.random.default_rng(3).standard_normal((6, 3))


def waves(scale):
    return lambda ops, x: ops.sum(ops.tanh(x * 3.0) * x) * scale


@pytest.mark.parametrize("scale", [1e-28, 1e22])
def test_steps_do_not_depend_on_the_scale_of_the_score(lab, scale):
    settings = {"backend": lab.name, "steps": "auto", "tolerance": 1e-3}
    plain = polyattr.IntegratedGradients(lab.function(waves(1.0)), **settings)
    scaled = polyattr.IntegratedGradients(lab.function(waves(scale)), **settings)
    wanted, found = (method.attribute(lab.tensor(X)) for method in (plain, scaled))
    assert found.evaluations.tolist() == wanted.evaluations.tolist()
    assert max(found.evaluations) > 9
    np.testing.assert_allclose(found.error, wanted.error, rtol=0.02)


@pytest.mark.parametrize("scale", [1e-28, 1e22])
def test_a_standard_error_does_not_depend_on_it_either(lab, scale):
    settings = {"backend": lab.name, "noise": 0.5, "nb_samples": 16}
    plain = polyattr.SmoothGrad(lab.function(waves(1.0)), **settings).attribute(lab.tensor(X))
    scaled = polyattr.SmoothGrad(lab.function(waves(scale)), **settings).attribute(lab.tensor(X))
    assert plain.error.min() > 0
    np.testing.assert_allclose(scaled.error, plain.error, rtol=1e-3)


def test_an_error_that_only_the_inner_method_knows_is_not_stated(lab):
    """Its draws are the same for all copies: at noise 0 their spread would be 0."""
    model = lab.function(waves(1.0))
    drawn = polyattr.ExpectedGradients(model, backend=lab.name, background=BACKGROUND, nb_samples=8)
    chosen = polyattr.IntegratedGradients(model, backend=lab.name, steps="auto", tolerance=0.5)
    for inner in (drawn, chosen):
        result = polyattr.SmoothGrad(of=inner, noise=0.0, nb_samples=8).attribute(lab.tensor(X))
        assert np.isnan(result.error).all()
        assert not result.converged.any()
    fixed = polyattr.IntegratedGradients(model, backend=lab.name, steps=5)
    result = polyattr.SmoothGrad(of=fixed, noise=0.5, nb_samples=8).attribute(lab.tensor(X))
    assert (result.error > 0).all()
