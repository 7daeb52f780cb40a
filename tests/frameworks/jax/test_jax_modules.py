"""Equinox modules, batched or per example, and flax linen modules bound to their variables."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen

import polyattr
from polyattr import IntegratedGradients, LayerNotFoundError, UnrecognisedModelError


class PerExample(eqx.Module):
    """Written for one example; dropout has to be off to be called without a key."""

    body: list
    logits: eqx.nn.Linear
    unused: eqx.nn.Linear
    drop: eqx.nn.Dropout

    def __init__(self):
        keys = jax.random.split(jax.random.key(0), 3)
        self.body = [eqx.nn.Conv2d(2, 3, 3, key=keys[0]), jax.nn.relu]
        self.logits = eqx.nn.Linear(27, 4, key=keys[1])
        self.unused = eqx.nn.Linear(4, 4, key=keys[2])
        self.drop = eqx.nn.Dropout(0.5)

    def features(self, x):
        for layer in self.body:
            x = layer(x)
        return x.reshape(-1)

    def __call__(self, x):
        return jax.nn.softmax(self.logits(self.drop(self.features(x))))


class Batched(eqx.Module):
    """Takes the sample axis itself."""

    body: eqx.nn.Sequential
    logits: jax.Array
    drop: eqx.nn.Dropout

    def __init__(self):
        keys = jax.random.split(jax.random.key(0), 2)
        self.body = eqx.nn.Sequential(
            [eqx.nn.Linear(50, 6, key=keys[0]), eqx.nn.Lambda(jnp.tanh), eqx.nn.Dropout(0.5)]
        )
        self.logits = jax.random.normal(keys[1], (6, 4))
        self.drop = eqx.nn.Dropout(0.5)

    def __call__(self, x):
        return self.drop(jax.vmap(self.body)(x.reshape(len(x), -1))) @ self.logits


@pytest.fixture
def nchw(images):
    return jnp.transpose(images, (0, 3, 1, 2))


def test_a_module_for_one_example_is_mapped_over_the_batch(nchw, path_integral):
    model = PerExample()
    leaves = jax.tree.leaves(model)
    result = IntegratedGradients(model, steps=9, batch_size=5).attribute(nchw, 2)
    silent = eqx.nn.inference_mode(model)
    expected = path_integral(lambda x: jax.vmap(silent)(x)[:, 2], nchw, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, jax.vmap(silent)(nchw)[:, 2], rtol=1e-5)
    assert model.drop.inference is False
    assert all(a is b for a, b in zip(leaves, jax.tree.leaves(model), strict=True))


@pytest.mark.parametrize("rows", [1, 2, 4, 50])
def test_a_batched_module_gets_the_batch(rows, path_integral):
    model = Batched()
    x = jax.random.normal(jax.random.key(1), (rows, 5, 10))
    values = IntegratedGradients(model, steps=9, batch_size=7).explain(x, 2)
    silent = eqx.nn.inference_mode(model)
    expected = path_integral(lambda x: silent(x)[:, 2], x, 9)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("rows", [1, 3, 4])
def test_a_square_layer_is_still_per_example(rows):
    model = eqx.nn.Linear(4, 4, key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (rows, 4))
    values = polyattr.GradientInput(model).explain(x, 1)
    np.testing.assert_allclose(values, x * model.weight[1], rtol=1e-5)


def test_where_both_would_run_a_module_takes_one_example_as_equinox_does():
    class Sequence(eqx.Module):
        token: eqx.nn.Linear

        def __call__(self, tokens):  # (4, 4): on (N, 4, 4) the layer would mix the tokens
            return jax.vmap(self.token)(tokens).sum(0)

    model = Sequence(eqx.nn.Linear(4, 4, key=jax.random.key(0)))
    x = jax.random.normal(jax.random.key(1), (3, 4, 4))
    values = polyattr.GradientInput(model).explain(x, 1)
    np.testing.assert_allclose(values, x * model.token.weight[1], rtol=1e-5)


@pytest.mark.parametrize("selector", ["index", "negative", "name", "object"])
def test_the_logits_layer_explains_the_model_cut_there(nchw, path_integral, selector):
    model = PerExample()
    layer = {
        "index": 1,
        "negative": -3,
        "name": "logits",
        "object": model.logits,
    }[selector]
    result = IntegratedGradients(model, output_layer=layer, steps=9).attribute(nchw, 2)

    def cut(x):
        return jax.vmap(lambda row: model.logits(model.features(row)))(x)

    expected = path_integral(lambda x: cut(x)[:, 2], nchw, 9)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(result.scores, cut(nchw)[:, 2], rtol=1e-4, atol=1e-6)
    whole = IntegratedGradients(model, steps=9).explain(nchw, 2)
    assert abs(result.values - whole).max() > 0.01


@pytest.mark.parametrize("selector", ["name", "object"])
def test_a_layer_in_a_list(nchw, gradient, selector):
    model = PerExample()
    conv = model.body[0]
    layer = "body.0" if selector == "name" else conv
    values = polyattr.Saliency(model, output_layer=layer).explain(nchw, (1, 0, 2))
    expected = abs(gradient(lambda x: jax.vmap(conv)(x)[:, 1, 0, 2], nchw))
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)


def test_a_nested_layer_of_a_sequential():
    inner = eqx.nn.Linear(4, 6, key=jax.random.key(0))
    outer = eqx.nn.Linear(6, 3, key=jax.random.key(1))
    model = eqx.nn.Sequential([eqx.nn.Sequential([inner]), outer, eqx.nn.Lambda(jax.nn.softmax)])
    x = jnp.ones((2, 4))
    for layer in ("layers.0.layers.0", inner):
        values = polyattr.Saliency(model, output_layer=layer).explain(x, 5)
        np.testing.assert_allclose(values, np.broadcast_to(abs(inner.weight[5]), (2, 4)))
    values = polyattr.Saliency(model, output_layer=1).explain(x, 2)
    expected = abs(outer.weight[2] @ inner.weight)
    np.testing.assert_allclose(values, np.broadcast_to(expected, (2, 4)), rtol=1e-5, atol=1e-7)


def test_a_layer_that_is_unknown_or_not_called(nchw):
    model = PerExample()
    with pytest.raises(LayerNotFoundError, match="Did you mean 'logits'"):
        polyattr.Saliency(model, output_layer="logit")
    with pytest.raises(LayerNotFoundError, match=r"4 direct submodules"):
        polyattr.Saliency(model, output_layer=4)
    with pytest.raises(LayerNotFoundError, match="not called"):
        polyattr.Saliency(model, output_layer="unused").explain(nchw, 1)


def test_an_error_in_an_equinox_module_is_shown_as_it_is():
    class Fails(eqx.Module):
        weight: jax.Array

        def __call__(self, x):
            raise RuntimeError("the model gave up")

    with pytest.raises(RuntimeError, match="gave up"):
        polyattr.Saliency(Fails(jnp.ones(2))).explain(jnp.ones((2, 4)), 1)


class Dense(linen.Module):
    @linen.compact
    def __call__(self, x):
        x = linen.tanh(linen.Dense(6)(x.reshape(len(x), -1)))
        x = linen.BatchNorm(use_running_average=True)(x)
        return linen.Dense(4)(x)


@pytest.fixture
def variables(images):
    return Dense().init(jax.random.key(0), images)


def test_a_bound_linen_module(images, variables, path_integral):
    model = Dense()
    expected = path_integral(lambda x: model.apply(variables, x)[:, 2], images, 9)
    explainer = IntegratedGradients(model.bind(variables), steps=9, batch_size=5)
    result = explainer.attribute(images, 2)
    assert result.backend == "jax"
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    applied = IntegratedGradients(lambda x: model.apply(variables, x), steps=9).explain(images, 2)
    np.testing.assert_allclose(applied, expected, rtol=1e-4, atol=1e-6)


def test_an_unbound_linen_module_names_the_cure(images):
    with pytest.raises(UnrecognisedModelError, match=r"model\.bind\(variables\)"):
        polyattr.Saliency(Dense())


def test_a_linen_module_is_cut_at_a_layer_by_name(images, variables, gradient):
    def cut(x):  # by flax's own way to read a layer
        read = {"capture_intermediates": True, "mutable": "intermediates"}
        _, seen = Dense().apply(variables, x, **read)
        return seen["intermediates"]["Dense_0"]["__call__"][0][:, 3]

    values = polyattr.Saliency(Dense().bind(variables), output_layer="Dense_0").explain(images, 3)
    np.testing.assert_allclose(values, abs(gradient(cut, images)), rtol=1e-5, atol=1e-7)
