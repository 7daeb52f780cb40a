"""One network, second(tanh(first(x)) + side(x)) and a softmax, in every library."""

import equinox as eqx
import haiku as hk
import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx

SHAPES = {"first": (5, 6), "side": (5, 6), "second": (6, 4)}


def _draw():
    draw = np.random.default_rng(5).standard_normal
    return {
        name: (jnp.asarray(draw(shape), jnp.float32), jnp.asarray(draw(shape[1]), jnp.float32))
        for name, shape in SHAPES.items()
    }


WEIGHTS = _draw()


def apply(name, x):
    weight, bias = WEIGHTS[name]
    return x @ weight + bias


def logits(x):
    return apply("second", jnp.tanh(apply("first", x)) + apply("side", x))


class Nnx(nnx.Module):
    def __init__(self):
        for name, (weight, bias) in WEIGHTS.items():
            layer = nnx.Linear(*weight.shape, rngs=nnx.Rngs(0))
            layer.kernel[...], layer.bias[...] = weight, bias
            setattr(self, name, layer)
        self.unused = nnx.Linear(2, 2, rngs=nnx.Rngs(0))

    def __call__(self, x):
        return jax.nn.softmax(self.second(jnp.tanh(self.first(x)) + self.side(x)))


class NnxJitted(Nnx):
    @nnx.jit
    def __call__(self, x):
        return super().__call__(x)


class PerExample(eqx.Module):
    first: eqx.nn.Linear
    side: eqx.nn.Linear
    second: eqx.nn.Linear
    unused: eqx.nn.Linear

    def __init__(self):
        for name, (weight, bias) in WEIGHTS.items():
            layer = eqx.nn.Linear(*weight.shape, key=jax.random.key(0))
            setattr(self, name, eqx.tree_at(lambda m: (m.weight, m.bias), layer, (weight.T, bias)))
        self.unused = eqx.nn.Linear(2, 2, key=jax.random.key(0))

    def __call__(self, x):
        return jax.nn.softmax(self.second(jnp.tanh(self.first(x)) + self.side(x)))


class Batched(PerExample):
    """Maps each of its layers over the batch by itself."""

    def __call__(self, x):
        hidden = jnp.tanh(jax.vmap(self.first)(x)) + jax.vmap(self.side)(x)
        return jax.nn.softmax(jax.vmap(self.second)(hidden))


class Jitted(PerExample):
    @eqx.filter_jit
    def __call__(self, x):
        return super().__call__(x)


class Linen(linen.Module):
    def setup(self):
        for name, (_, width) in SHAPES.items():
            setattr(self, name, linen.Dense(width))

    def __call__(self, x):
        return jax.nn.softmax(self.second(jnp.tanh(self.first(x)) + self.side(x)))


def _haiku(x):
    layers = {name: hk.Linear(width, name=name) for name, (_, width) in SHAPES.items()}
    return jax.nn.softmax(layers["second"](jnp.tanh(layers["first"](x)) + layers["side"](x)))


def linen_variables():
    return {"params": {name: {"kernel": w, "bias": b} for name, (w, b) in WEIGHTS.items()}}


def haiku_params():
    return {name: {"w": w, "b": b} for name, (w, b) in WEIGHTS.items()}


# Jitted once: what one explainer had traced must not reach the next.
_JITTED = hk.transform(_haiku)
_JITTED = _JITTED._replace(apply=jax.jit(_JITTED.apply))

MODELS = {
    "nnx": Nnx,
    "nnx jitted": NnxJitted,
    "equinox": PerExample,
    "equinox batched": Batched,
    "equinox jitted": Jitted,
    "linen": lambda: (Linen(), linen_variables()),
    "linen bound": lambda: Linen().bind(linen_variables()),
    "haiku": lambda: (hk.transform(_haiku), haiku_params()),
    "haiku jitted": lambda: (_JITTED, haiku_params()),
}
