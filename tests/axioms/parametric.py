"""Native models whose weights are arrays that can be overwritten: the kernel's arguments."""

import numpy as np


def parametric(lab, body, arrays, dtype):
    """Makes a native model of ``body(ops, weights, x)``.

    Args:
        lab: Of the framework.
        body: Evaluates the outputs.
        arrays: The weights to begin with.
        dtype: Of the weights.

    Returns:
        The model, and a function that overwrites its weights.
    """
    make = {"torch": _torch, "tensorflow": _tensorflow, "jax": _jax}[lab.name]
    return make(lab, body, [np.asarray(array, dtype) for array in arrays])


def _torch(lab, body, arrays):
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList([torch.tensor(array) for array in arrays])

        def forward(self, x):
            return body(lab.ops, list(self.weights), x)

    model = Model().eval()

    def assign(arrays):
        with torch.no_grad():
            for weight, array in zip(model.weights, arrays, strict=True):
                weight.copy_(torch.tensor(array))

    return model, assign


def _tensorflow(lab, body, arrays):
    import tensorflow as tf

    class Model(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = [tf.Variable(array) for array in arrays]

        def __call__(self, x):
            return body(lab.ops, self.weights, x)

    model = Model()

    def assign(arrays):
        for weight, array in zip(model.weights, arrays, strict=True):
            weight.assign(array)

    return model, assign


def _jax(lab, body, arrays):
    import jax.numpy as jnp
    from flax import nnx

    class Model(nnx.Module):
        def __init__(self):
            self.count = len(arrays)
            for i, array in enumerate(arrays):
                setattr(self, f"weight{i}", nnx.Param(jnp.asarray(array)))

        def __call__(self, x):
            return body(lab.ops, [getattr(self, f"weight{i}")[...] for i in range(self.count)], x)

    model = Model()

    def assign(new):
        for i, array in enumerate(new):
            weight = getattr(model, f"weight{i}")
            weight[...] = jnp.asarray(array, arrays[i].dtype)

    return model, assign
