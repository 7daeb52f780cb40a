"""A linear model behind batch normalisation, left in training mode, in each framework."""

import numpy as np

MEAN, VARIANCE = np.array([0.5, -1.0, 2.0]), np.array([4.0, 0.25, 1.0])
WEIGHT = np.array([1.0, -2.0, 3.0])
EPSILON = 2.0**-10
SLOPE = WEIGHT / np.sqrt(VARIANCE + EPSILON)
"""The model's gradient in inference mode, the same everywhere."""


def torch_model():
    import torch
    from torch import nn

    norm, dense = nn.BatchNorm1d(3, eps=EPSILON), nn.Linear(3, 1, bias=False)
    with torch.no_grad():
        norm.running_mean.copy_(torch.tensor(MEAN))
        norm.running_var.copy_(torch.tensor(VARIANCE))
        dense.weight.copy_(torch.tensor(WEIGHT[None]))
    model = nn.Sequential(norm, dense).train()
    return model, lambda: [tensor.numpy().copy() for tensor in norm.buffers()]


def tensorflow_model():
    import keras

    class InTraining(keras.Model):
        """Keras has no training flag to be left on: a call that trains unless told otherwise."""

        def __init__(self):
            super().__init__()
            self.norm = keras.layers.BatchNormalization(epsilon=EPSILON)
            self.dense = keras.layers.Dense(1, use_bias=False)

        def call(self, x, training=True):
            return self.dense(self.norm(x, training=training))

    model = InTraining()
    model(np.zeros((2, 3), np.float32), training=False)
    model.norm.set_weights([np.ones(3), np.zeros(3), MEAN, VARIANCE])
    model.dense.set_weights([WEIGHT[:, None]])
    return model, lambda: [v.numpy() for v in (model.norm.moving_mean, model.norm.moving_variance)]


def jax_model():
    import jax.numpy as jnp
    from flax import nnx

    norm = nnx.BatchNorm(3, epsilon=EPSILON, rngs=nnx.Rngs(0))
    dense = nnx.Linear(3, 1, use_bias=False, rngs=nnx.Rngs(0))
    norm.mean[...], norm.var[...] = jnp.asarray(MEAN), jnp.asarray(VARIANCE)
    dense.kernel[...] = jnp.asarray(WEIGHT[:, None])
    model = nnx.Sequential(norm, dense)
    model.train()
    return model, lambda: [np.array(v[...]) for v in (norm.mean, norm.var)]


BUILD = {"torch": torch_model, "tensorflow": tensorflow_model, "jax": jax_model}
WARNS = {"torch", "jax"}
"""Where a training flag was left on, of which the user is told; Keras' mode is an argument."""
