"""JAX, with flax nnx models."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from labs.lab import Counter, Lab, told


class Ops:
    """The vocabulary of test models."""

    relu = staticmethod(jax.nn.relu)
    tanh = staticmethod(jnp.tanh)
    exp = staticmethod(jnp.exp)
    sqrt = staticmethod(jnp.sqrt)
    log = staticmethod(jnp.log)
    where = staticmethod(jnp.where)
    matmul = staticmethod(jnp.matmul)

    @staticmethod
    def like(array, x):
        """A constant of the dtype of `x`."""
        return jnp.asarray(array, x.dtype)

    @staticmethod
    def cast(x, dtype):
        """In another precision."""
        return x.astype(dtype)

    @staticmethod
    def sum(x):
        """Sums over all axes but the first."""
        return x.reshape(x.shape[0], -1).sum(1)

    @staticmethod
    def softmax(x):
        return jax.nn.softmax(x, axis=-1)

    @staticmethod
    def concat(parts):
        """Joins along the last axis."""
        return jnp.concatenate(list(parts), axis=-1)

    @staticmethod
    def reshape(x, *shape):
        """Reshapes what follows the first axis."""
        return x.reshape(x.shape[0], *shape)

    @staticmethod
    def detach(x):
        return jax.lax.stop_gradient(x)

    @staticmethod
    def transpose(x):
        """Exchanges the two axes of a matrix."""
        return x.T

    @staticmethod
    def total(x):
        """Sums over the first axis."""
        return x.sum(0)


class CallbackCounter(Counter):
    """Counts on the host, told by the compiled program."""

    def settle(self):
        jax.effects_barrier()

    def count(self, rows):
        self.sizes.append(int(rows))


class Elementwise(nnx.Module):
    """A function as a layer, so that it has a name."""

    def __init__(self, function):
        self.function = function

    def __call__(self, x):
        return self.function(x)


class NnxNetwork(nnx.Module):
    """Layers one after the other, each an attribute."""

    def __init__(self, layers):
        self.order = tuple(layers)
        for name, layer in layers.items():
            setattr(self, name, layer)

    def __call__(self, x):
        for name in self.order:
            x = getattr(self, name)(x)
        return x


class JaxLab(Lab):
    name = "jax"
    ops = Ops

    def tensor(self, array, dtype=None):
        if dtype is None and array.dtype == np.float64:
            dtype = "float32"
        return jnp.asarray(array, dtype)  # without one, 64-bit integers become 32-bit ones

    def numpy(self, tensor):
        host = np.asarray(tensor)
        return host.astype(np.float32) if str(host.dtype) == "bfloat16" else host

    def is_native(self, value):
        return isinstance(value, jax.Array)

    def dtype(self, tensor):
        return str(tensor.dtype)

    def network(self, network, softmax=True):
        layers = {}
        for i, (weight, _) in enumerate(network.layers):
            last = i == len(network.layers) - 1
            layers["logits" if last else f"dense{i}"] = nnx.Linear(*weight.shape, rngs=nnx.Rngs(0))
            if not last:
                layers[f"activation{i}"] = Elementwise(getattr(Ops, network.activation))
        if softmax:
            layers["probabilities"] = Elementwise(Ops.softmax)
        model = NnxNetwork(layers)
        self.set_weights(model, network)
        return model

    def layer(self, model, name):
        return getattr(model, name)

    def set_weights(self, model, network):
        dense = [name for name in model.order if isinstance(getattr(model, name), nnx.Linear)]
        for name, (weight, bias) in zip(dense, network.layers, strict=True):
            layer = getattr(model, name)
            layer.kernel[...] = jnp.asarray(weight, jnp.float32)
            layer.bias[...] = jnp.asarray(bias, jnp.float32)

    def counting(self, body):
        counter = CallbackCounter()

        def traced(rows):
            counter.bodies += 1

        tell_traced, tell_run = told(traced), told(counter.count)

        def model(x):
            tell_traced(x.shape[0])
            jax.debug.callback(tell_run, x.shape[0])
            return body(Ops, x)

        return model, counter

    def differentiated(self, loss):
        compiled = jax.jit(lambda tensors: jax.value_and_grad(lambda t: loss(*t))(tensors))

        def run(*arrays):
            value, gradients = compiled([jnp.asarray(array) for array in arrays])
            return float(value), [np.asarray(gradient) for gradient in gradients]

        return run

    def double(self):
        enable = getattr(jax, "enable_x64", None)
        if enable is None:  # JAX before 0.8 has it among the experiments
            from jax.experimental import enable_x64 as enable
        return enable(True)

    def situations(self):
        return {
            "double precision": partial(jax.enable_x64, True),
            "nothing compiled": jax.disable_jit,
            "search for NaN": partial(jax.debug_nans, True),
            "no promotion of ranks": partial(jax.numpy_rank_promotion, "raise"),
            "no promotion of dtypes": partial(jax.numpy_dtype_promotion, "strict"),
            "another default device": partial(jax.default_device, jax.devices()[-1]),
        }

    def settings(self):
        # The second is what this thread sees, which a context manager may have changed.
        return {**jax.config.values, "x64 here": jax.config.jax_enable_x64}
