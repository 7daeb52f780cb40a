"""`function` under the user's own transformations."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

import polyattr

RNG = np.random.default_rng(1081)
X, BACKGROUND = (jnp.asarray(RNG.standard_normal((n, 4)), "float32") for n in (3, 5))
WEIGHTS = tuple(
    jnp.asarray(RNG.standard_normal(shape) / 2, "float32") for shape in ((4, 6), (6, 3))
)
TARGETS = np.array([0, 2, 1])

METHODS = {
    "product": polyattr.GradientInput,
    "steps": lambda model: polyattr.IntegratedGradients(model, steps=5),
    "variance": lambda model: polyattr.VarGrad(model, nb_samples=3),
    "background": lambda model: polyattr.ExpectedGradients(
        model, background=BACKGROUND, nb_samples=4
    ),
    "smoothed": lambda model: polyattr.SmoothGrad(
        of=polyattr.IntegratedGradients(model, steps=5), nb_samples=3
    ),
}


def outputs(weights):
    return lambda x: jnp.tanh(x @ weights[0]) @ weights[1]


@pytest.mark.parametrize("name", METHODS)
def test_jit_vmap_and_grad_agree_with_explain(name):
    method = METHODS[name](outputs(WEIGHTS))
    expected = np.asarray(method.explain(X, 1))
    phi = method.function(X, 1)
    one = method.function(X[:1], 1)
    close = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(jax.jit(phi)(X), expected, **close)
    np.testing.assert_allclose(jax.vmap(lambda x: one(x[None])[0])(X), expected, **close)
    slope = jax.jit(jax.grad(lambda x: phi(x).sum()))(X)
    each = jax.vmap(jax.grad(lambda x: one(x[None]).sum()))(X)
    np.testing.assert_allclose(slope, each, rtol=1e-3, atol=1e-5)
    assert np.abs(slope).max() > 1e-3


@pytest.mark.parametrize("name", METHODS)
def test_a_loss_by_parameters_that_are_traced(name):
    """The explainer is made inside the loss, on weights that have no values yet."""

    def loss(weights):
        phi = METHODS[name](outputs(weights)).function(X, TARGETS)
        return (phi(X) ** 2)[:, 0].sum()

    value, gradient = jax.jit(jax.value_and_grad(loss))(WEIGHTS)
    assert value == pytest.approx(float(loss(WEIGHTS)), rel=1e-5)
    size = sum(float((g**2).sum()) for g in gradient)
    rate = 1e-2 * float(value) / size
    stepped = tuple(w - rate * g for w, g in zip(WEIGHTS, gradient, strict=True))
    assert float(loss(stepped)) == pytest.approx(float(value) * 0.99, rel=2e-3)


def test_modules_of_nnx_are_differentiated_by_their_parameters():
    model = nnx.Linear(4, 3, rngs=nnx.Rngs(0))

    def loss(model):
        phi = polyattr.GradientInput(model, backend="jax").function(X, TARGETS)
        return (phi(X) ** 2).sum()

    gradient = nnx.grad(loss)(model)
    kernel = np.asarray(model.kernel[...])
    # phi = x * kernel[:, target]
    expected = np.zeros_like(kernel)
    for x, target in zip(np.asarray(X), TARGETS, strict=True):
        expected[:, target] += 2 * x**2 * kernel[:, target]
    np.testing.assert_allclose(gradient["kernel"][...], expected, rtol=1e-5)


def test_labels_of_a_jitted_step_are_taken_unread():
    def loss(weights, x, labels):
        phi = polyattr.IntegratedGradients(outputs(weights), steps=5).function(x, labels)
        return (phi(x) ** 2).sum()

    labels = jnp.asarray(TARGETS)
    found = jax.jit(jax.grad(loss))(WEIGHTS, X, labels)
    for traced, plain in zip(found, jax.grad(loss)(WEIGHTS, X, TARGETS), strict=True):
        np.testing.assert_allclose(traced, plain, rtol=1e-4, atol=1e-6)
    weights = jnp.eye(3)[labels]
    weighted = jax.jit(jax.grad(loss))(WEIGHTS, X, weights)
    np.testing.assert_allclose(weighted[0], found[0], rtol=1e-4, atol=1e-6)
    with pytest.raises(polyattr.InputError, match=r"being traced and have shape \(2, 3\)"):
        jax.jit(loss)(WEIGHTS, X, weights[:2].astype(int))


def test_targets_of_an_operator_may_be_traced():
    squared = polyattr.loss(lambda found, wanted: ((found - wanted) ** 2).sum(axis=1))

    @jax.jit
    def phi(x, wanted):
        return polyattr.GradientInput(outputs(WEIGHTS), operator=squared).function(x, wanted)(x)

    wanted = np.eye(3, dtype=np.float32)[TARGETS]
    expected = polyattr.GradientInput(outputs(WEIGHTS), operator=squared).explain(X, wanted)
    np.testing.assert_allclose(phi(X, wanted), expected, rtol=1e-4, atol=1e-6)
