"""Programs that explainers share: what is compiled again, and that no answer is another model's."""

import gc
import weakref
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import polyattr

X = jnp.asarray(np.random.default_rng(11).standard_normal((4, 6)), jnp.float32)
WEIGHTS = np.random.default_rng(12).standard_normal((2, 6, 3)).astype(np.float32)
_EVENT = "/jax/core/compile/backend_compile_duration"


@pytest.fixture
def compiled():
    """Every compilation of the test."""
    found = []

    def heard(event, seconds, **more):
        if event == _EVENT:
            found.append(seconds)

    jax.monitoring.register_event_duration_secs_listener(heard)
    yield found
    jax.monitoring.clear_event_listeners()


def plain(weight):
    return lambda x: jax.nn.relu(x) @ weight


def jitted(weight):
    return jax.jit(lambda x: jax.nn.relu(x) @ weight)


def looped(weight):
    def step(carry, _):
        return jnp.tanh(carry), None

    return lambda x: jax.lax.scan(step, x, None, length=2)[0] @ weight


def with_a_rule(weight):
    @jax.custom_vjp
    def model(x):
        return x @ weight

    model.defvjp(lambda x: (model(x), None), lambda _, t: (t @ weight.T,))
    return model


KINDS = [plain, jitted, looped, with_a_rule]


def explained(model):
    return np.asarray(polyattr.IntegratedGradients(model, backend="jax", steps=3).explain(X, 1))


@pytest.mark.parametrize("make", KINDS)
def test_an_equal_model_compiles_nothing_and_gets_its_own_answer(make, compiled):
    first = explained(make(jnp.asarray(WEIGHTS[0])))
    compiled.clear()
    second = explained(make(jnp.asarray(WEIGHTS[1])))
    assert compiled == []
    assert np.abs(first - second).max() > 0.1
    with jax.disable_jit():
        alone = explained(make(jnp.asarray(WEIGHTS[1])))
    assert np.abs(second - alone).max() <= 1e-6


@pytest.mark.parametrize("make", KINDS)
def test_no_program_keeps_a_model_or_its_weights(make):
    weight = jnp.asarray(WEIGHTS[0])
    model = make(weight)
    kept = [weakref.ref(held) for held in (weight, model)]
    explained(model)
    del model, weight
    gc.collect()  # a function with a derivative of its own is a circle by itself
    assert [reference() for reference in kept] == [None, None]


def test_programs_are_not_shared_across_settings():
    """What reads a setting is traced anew under another one, whatever was compiled there."""

    def reads(x):
        return x * (3.0 if jax.config.jax_default_matmul_precision == "highest" else 2.0)

    def doubled(x):
        return x * 2.0

    asked = partial(jax.default_matmul_precision, "highest")
    method = polyattr.GradientInput(reads, backend="jax")
    assert np.abs(np.asarray(method.explain(X, 1))[:, 1] - 2 * X[:, 1]).max() <= 1e-6
    with asked():
        polyattr.GradientInput(doubled, backend="jax").explain(X, 1)
        found = np.asarray(method.explain(X, 1))
    assert np.abs(found[:, 1] - 3 * X[:, 1]).max() <= 1e-6
