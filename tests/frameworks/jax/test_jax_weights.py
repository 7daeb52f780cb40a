"""Weights of JAX models, layer by layer: found in the order of the model, put back to the bit."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import polyattr
from polyattr import metrics
from polyattr.backend import get_backend

X = np.random.default_rng(1560).random((4, 3)).astype(np.float32)


class Nnx(nnx.Module):
    def __init__(self):
        rngs = nnx.Rngs(0)
        self.zebra = nnx.Linear(3, 4, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.after = nnx.List([nnx.Linear(4, 2, rngs=rngs)])

    def __call__(self, x):
        return self.after[0](jnp.tanh(self.norm(self.zebra(x))))


class Linen(linen.Module):
    @linen.compact
    def __call__(self, x):
        hidden = jnp.tanh(linen.Dense(4, name="zebra")(x))
        return linen.Dense(2, name="after")(hidden)


def linen_model():
    return Linen(), Linen().init(jax.random.key(0), jnp.ones((1, 3)))


def haiku_model():
    transformed = hk.transform(lambda x: hk.nets.MLP([4, 2], activation=jnp.tanh)(x))
    return transformed, transformed.init(jax.random.key(0), jnp.ones((1, 3)))


MODELS = {
    "nnx": (Nnx, ["zebra", "norm", "after.0"]),
    "equinox": (
        lambda: eqx.nn.MLP(3, 2, 4, 1, activation=jnp.tanh, key=jax.random.key(0)),
        ["layers.0", "layers.1"],
    ),
    "linen": (linen_model, ["zebra", "after"]),
    "linen, bound": (lambda: linen_model()[0].bind(linen_model()[1]), ["zebra", "after"]),
    "haiku": (haiku_model, ["mlp/~/linear_0", "mlp/~/linear_1"]),
}


def numbers(model):
    known = get_backend("jax").bind(model).weights()
    return {name: [np.array(v) for v in values] for name, values in known.items()}


def interrupted(block, look):
    """Looks at the model in a block that fails then."""
    with block as model:
        look(model)
        raise KeyError("interrupted")


@pytest.mark.parametrize("kind", MODELS)
def test_layers_have_other_weights_while_a_block_runs(kind):
    make, names = MODELS[kind]
    model = make()
    bound = get_backend("jax").bind(model)
    before = numbers(model)
    assert list(before) == names
    changed = {names[-1]: [2 * value for value in bound.weights()[names[-1]]]}
    seen = []
    with pytest.raises(KeyError, match="interrupted"):
        interrupted(bound.with_weights(changed), lambda other: seen.append(numbers(other)))
    (during,) = seen
    for name in names:
        factor = 2 if name == names[-1] else 1
        for old, new in zip(before[name], during[name], strict=True):
            assert np.array_equal(new, factor * old)
    after = numbers(model)
    assert all(
        np.array_equal(a, b) for n in names for a, b in zip(before[n], after[n], strict=True)
    )


@pytest.mark.filterwarnings("ignore::polyattr.TrainingModeWarning")
@pytest.mark.parametrize("kind", MODELS)
def test_maps_of_randomised_models_differ(kind):
    method = polyattr.GradientInput(MODELS[kind][0]())
    found = metrics.randomisation(method, jnp.asarray(X), 0, nb_samples=1, seed=2)
    assert found.layers == tuple(reversed(MODELS[kind][1]))
    assert (found.similarity < 1).any()


def test_a_functions_weights_cannot_be_told():
    weight = jnp.ones((3, 2))
    assert get_backend("jax").bind(lambda x: x @ weight).weights() == {}
