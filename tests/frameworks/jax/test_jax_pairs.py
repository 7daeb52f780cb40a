"""Linen modules and haiku functions that come with their parameters."""

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen

from polyattr import GradientInput

TRACED = []


@pytest.fixture(scope="module")
def x():
    return jnp.asarray(np.random.default_rng(3).standard_normal((3, 5)), jnp.float32)


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x, train: bool = False):
        TRACED.append("linen")
        x = linen.tanh(linen.Dense(6)(x))
        x = linen.BatchNorm(use_running_average=not train)(x)
        x = linen.Dropout(0.5, deterministic=not train)(x)
        return linen.Dense(4)(x)


def _linen(x):
    variables = Linen().init(jax.random.key(0), x)
    variables["batch_stats"]["BatchNorm_0"]["mean"] = jnp.linspace(-1, 1, 6)
    variables["batch_stats"]["BatchNorm_0"]["var"] = jnp.linspace(0.5, 2, 6)
    return (Linen(), variables), lambda x: Linen().apply(variables, x), variables["params"]


def _haiku_body(x):
    TRACED.append("haiku")
    return hk.nets.MLP([6, 4], activation=jnp.tanh)(x)


def _haiku(x):
    transformed = hk.transform(_haiku_body)
    params = transformed.init(jax.random.key(0), x)
    return (transformed, params), lambda x: transformed.apply(params, None, x), params


def _haiku_without_rng(x):
    transformed = hk.without_apply_rng(hk.transform(_haiku_body))
    params = transformed.init(jax.random.key(0), x)
    return (transformed, params), lambda x: transformed.apply(params, x), params


def _haiku_jitted(x):
    (transformed, params), plain, _ = _haiku(x)
    return (transformed._replace(apply=jax.jit(transformed.apply)), params), plain, params


def _stateful_body(x, is_training=False):
    TRACED.append("haiku")
    x = hk.BatchNorm(True, True, 0.9)(jnp.tanh(hk.Linear(6)(x)), is_training)
    return hk.Linear(4)(x)


def _haiku_with_state(x):
    transformed = hk.transform_with_state(_stateful_body)
    params, state = transformed.init(jax.random.key(0), x, is_training=True)
    pair = (transformed, params, state)
    return pair, lambda x: transformed.apply(params, state, None, x)[0], params


def _haiku_with_state_without_rng(x):
    (transformed, params, state), plain, _ = _haiku_with_state(x)
    return (hk.without_apply_rng(transformed), params, state), plain, params


PAIRS = {
    "linen": _linen,
    "haiku": _haiku,
    "haiku without rng": _haiku_without_rng,
    "haiku jitted": _haiku_jitted,
    "haiku with state": _haiku_with_state,
    "haiku with state without rng": _haiku_with_state_without_rng,
}


@pytest.mark.parametrize("kind", PAIRS)
def test_a_pair_is_its_function_and_sees_new_parameters_untraced(x, gradient, kind):
    model, plain, params = PAIRS[kind](x)
    explainer = GradientInput(model)  # nothing but the pair says that it is JAX
    result = explainer.attribute(np.asarray(x), 2)
    assert result.backend == "jax"
    np.testing.assert_allclose(result.scores, plain(x)[:, 2], rtol=1e-5)
    expected = x * gradient(lambda x: plain(x)[:, 2], x)
    np.testing.assert_allclose(result.values, expected, rtol=1e-4, atol=1e-6)
    layer = next(iter(params))
    params[layer] = jax.tree.map(lambda leaf: leaf * -1.5, params[layer])
    del TRACED[:]
    values = explainer.explain(x, 1)
    assert not TRACED
    expected = x * gradient(lambda x: plain(x)[:, 1], x)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_a_bound_linen_module_sees_new_parameters(x, gradient):
    (model, variables), plain, params = _linen(x)
    explainer = GradientInput(model.bind(variables))
    before = explainer.explain(x, 2)
    params["Dense_1"]["kernel"] = params["Dense_1"]["kernel"] * 3
    expected = x * gradient(lambda x: plain(x)[:, 2], x)
    np.testing.assert_allclose(explainer.explain(x, 2), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(expected, 3 * before, rtol=1e-4, atol=1e-6)


def test_linen_parameters_read_from_a_file_are_numpy_arrays(x, gradient):
    (model, variables), plain, _ = _linen(x)
    stored = jax.tree.map(np.asarray, variables)
    expected = x * gradient(lambda x: plain(x)[:, 2], x)
    values = GradientInput((model, stored)).explain(np.asarray(x, np.float64), 2)
    assert values.dtype == jnp.float32
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)


def test_what_apply_takes_goes_in_forward_kwargs(x, gradient):
    class Two(linen.Module):
        def setup(self):
            self.inner = linen.Dense(4)

        def __call__(self, x):
            return self.inner(x) * 0

        def encode(self, x, scale):
            return jnp.tanh(self.inner(x)) * scale

    model = Two()
    variables = model.init(jax.random.key(0), x)
    explainer = GradientInput((model, variables))
    beside = {"method": "encode", "scale": 2.0}
    values = explainer.explain(x, 1, forward_kwargs=beside)
    expected = x * gradient(lambda x: model.apply(variables, x, 2.0, method="encode")[:, 1], x)
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


def test_a_random_haiku_function_takes_its_key_by_name(x):
    def body(x):
        return hk.Linear(4)(x) * jax.random.bernoulli(hk.next_rng_key(), 0.5, (4,))

    transformed = hk.transform(body)
    params = transformed.init(jax.random.key(0), x)
    explainer = GradientInput((transformed, params))
    for seed in (1, 2, 3):
        key = jax.random.key(seed)
        kept = transformed.apply(params, key, x * 0 + 1) != 0  # the biases start at zero
        values = explainer.explain(x, 1, forward_kwargs={"rng": key})
        expected = x * params["linear"]["w"][:, 1] * kept[:, 1:2]
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)
    with pytest.raises(ValueError, match="PRNGKey"):
        explainer.explain(x, 1)


def test_an_error_of_linen_says_how_it_was_called(x):
    class Trains(linen.Module):
        @linen.compact
        def __call__(self, x, train: bool = True):
            return linen.Dropout(0.5, deterministic=not train)(linen.Dense(4)(x))

    variables = Trains().init({"params": jax.random.key(0), "dropout": jax.random.key(1)}, x)
    explainer = GradientInput((Trains(), variables))
    with pytest.raises(Exception, match="needs PRNG") as caught:
        explainer.explain(x, 1)
    assert any("train=False or rngs go in forward_kwargs" in n for n in caught.value.__notes__)
    values = explainer.explain(x, 1, forward_kwargs={"train": False})
    kernel = variables["params"]["Dense_0"]["kernel"]
    np.testing.assert_allclose(values, x * kernel[:, 1], rtol=1e-5, atol=1e-7)
