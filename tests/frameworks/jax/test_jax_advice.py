"""Functions for one example, modules that are being trained, wrappers that hand anything on."""

from functools import partial

import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen

from polyattr import GradientInput, InputError, ModelOutputError

X = jnp.asarray(np.random.default_rng(23).standard_normal((4, 5)), jnp.float32)
W = jnp.asarray(np.random.default_rng(24).standard_normal((3, 5)), jnp.float32)
KEY = jax.random.key(0)
IMAGES = jnp.ones((4, 2, 6, 6))

FOR_ONE = {
    "a product": (lambda x: W @ x, X, 1),
    "a sum": (lambda x: (x**2).sum(), X, None),
    "a softmax": (lambda x: jax.nn.softmax(x)[1], X, None),
    "a norm": (lambda x: W @ (x / jnp.linalg.norm(x)), X, 1),
    "parts": (lambda x: jnp.concatenate([x, jnp.ones(2)]), X, 1),
    "a convolution": (
        lambda x: jax.lax.conv(x[None], jnp.ones((3, 2, 3, 3)), (1, 1), "SAME")[0].mean((1, 2)),
        IMAGES,
        1,
    ),
}


@pytest.mark.parametrize("kind", FOR_ONE)
@pytest.mark.parametrize("jitted", [False, True])
def test_a_function_for_one_example(kind, jitted):
    function, x, target = FOR_ONE[kind]
    model = jax.jit(function) if jitted else function
    with pytest.raises(ModelOutputError, match=r"written for one example\? .* jax\.vmap\(function"):
        GradientInput(model, backend="jax").explain(x, target)
    found = GradientInput(jax.vmap(model), backend="jax").explain(x, target)
    score = lambda x: function(x)[target] if target is not None else function(x)  # noqa: E731
    np.testing.assert_allclose(found, x * jax.vmap(jax.grad(score))(x), rtol=1e-4, atol=1e-6)


def test_a_function_that_mixes_the_rows_it_takes():
    with pytest.raises(ModelOutputError, match=r"scored on its own.*written for one example\?"):
        GradientInput(lambda x: x / x.sum(), backend="jax").explain(X, 1)


def test_a_function_that_takes_neither_has_its_own_error():
    with pytest.raises(TypeError, match="dot_general"):
        GradientInput(lambda x: x @ jnp.ones((7, 2)), backend="jax").explain(X, 1)


class Trained(linen.Module):
    """Has the layers of a switch by which modules are told that they are not being trained."""

    switch: str

    @linen.compact
    def __call__(self, x, **modes):
        return self.after(x, modes[self.switch] == (self.switch in SILENT))

    def after(self, x, silent):
        x = linen.BatchNorm(use_running_average=silent)(linen.Dense(4, name="first")(x))
        return linen.Dense(3, name="top")(linen.Dropout(0.5, deterministic=silent)(x))


class Train(Trained):
    @linen.compact
    def __call__(self, x, train=True):
        return self.after(x, not train)


class Deterministic(Trained):
    @linen.compact
    def __call__(self, x, deterministic=False):
        return self.after(x, deterministic)


class Required(Trained):
    @linen.compact
    def __call__(self, x, training):
        return self.after(x, not training)


SILENT = ("deterministic",)
LINEN = {
    "train": (Train, {"train": False}),
    "deterministic": (Deterministic, {"deterministic": True}),
    "training": (Required, {"training": False}),
}


@pytest.mark.parametrize("kind", LINEN)
def test_linen_modules_that_are_being_trained(kind):
    make, silent = LINEN[kind]
    model = make(kind)
    variables = model.init(KEY, X, **silent)
    first, top = (variables["params"][name]["kernel"] for name in ("first", "top"))
    function = partial(model.apply, variables)
    advice = f"forward_kwargs={silent}"
    for given in ((model, variables), function, lambda x, **kw: function(x, **kw)):
        named = given if isinstance(given, tuple | partial) else None
        if named is not None:
            with pytest.raises((InputError, ModelOutputError)) as caught:
                GradientInput(given, backend="jax").explain(X, 1)
            assert advice in str(caught.value)
        found = GradientInput(given, backend="jax").explain(X, 1, forward_kwargs=silent)
        expected = X * (first @ top[:, 1]) / np.sqrt(1 + 1e-5)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_a_module_that_is_being_trained_inside_a_function():
    model = Train("train")
    variables = model.init(KEY, X, train=False)
    with pytest.raises(ModelOutputError, match="being trained: call that with train=False"):
        GradientInput(lambda x: model.apply(variables, x), backend="jax").explain(X, 1)


def _normalised(x, is_training=True):
    x = hk.BatchNorm(create_scale=False, create_offset=False, decay_rate=0.9)(
        hk.Linear(4, name="first")(x), is_training
    )
    return hk.Linear(3, name="top")(x)


def _dropped(x, is_training=True):
    x = hk.Linear(4, name="first")(x)
    if is_training:
        x = hk.dropout(hk.next_rng_key(), 0.5, x)
    return hk.Linear(3, name="top")(x)


def test_haiku_functions_that_are_being_trained():
    silent = {"is_training": False}
    for body in (_normalised, _dropped):
        transformed = hk.transform_with_state(body)
        params, state = transformed.init(KEY, X)
        method = GradientInput((transformed, params, state))
        with pytest.raises((InputError, ModelOutputError)) as caught:
            method.explain(X, 1)
        assert "pass forward_kwargs={'is_training': False}" in str(caught.value)
        found = method.explain(X, 1, forward_kwargs=silent)

        def score(x, apply=transformed.apply, params=params, state=state):
            return apply(params, state, None, x, is_training=False)[0][:, 1].sum()

        np.testing.assert_allclose(found, X * jax.grad(score)(X), rtol=1e-4, atol=1e-6)


class Sum(linen.Module):
    @linen.compact
    def __call__(self, parts):
        return linen.Dense(3)(parts["a"] + 2 * parts["b"])

    def scaled(self, parts, scale=3.0):
        return self(parts) * scale


@pytest.mark.parametrize("wrap", [lambda f: f, jax.jit])
def test_the_apply_of_a_module_with_a_dict(wrap):
    model, parts = Sum(), {"a": X, "b": X}
    variables = model.init(KEY, parts)
    kernel = variables["params"]["Dense_0"]["kernel"][:, 1]
    for settings, scale in (({}, 1), ({"method": "scaled"}, 3), ({"method": Sum.scaled}, 3)):
        function = wrap(partial(model.apply, variables, **settings))
        found = GradientInput(function, backend="jax").explain(parts, 1)
        np.testing.assert_allclose(found["a"], scale * X * kernel, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found["b"], 2 * scale * X * kernel, rtol=1e-4, atol=1e-6)
