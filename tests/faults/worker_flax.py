"""A Flax model a worker process can be sent."""

import jax
import jax.numpy as jnp
from flax import nnx


class Perceptron(nnx.Module):
    """One hidden layer with ReLU."""

    def __init__(self, network):
        (first, bias), (second, last) = network.layers
        self.first, self.bias, self.second, self.last = (
            nnx.Param(jnp.asarray(array, jnp.float32)) for array in (first, bias, second, last)
        )

    def __call__(self, x):
        hidden = jax.nn.relu(x @ self.first[...] + self.bias[...])
        return hidden @ self.second[...] + self.last[...]
