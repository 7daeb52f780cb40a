"""The JAX backend through the door every backend goes through."""

import jax
from flax import nnx

from polyattr.testing import BackendConformance
from polyattr_jax import backend


class TestJax(BackendConformance):
    backend = backend

    def compiled(self, function):
        return jax.jit(function)

    def double(self):
        enable = getattr(jax, "enable_x64", None)
        if enable is None:  # JAX before 0.8 has it among the experiments
            from jax.experimental import enable_x64 as enable
        return enable(True)

    def settings(self):
        config = jax.config
        return config.jax_enable_x64, config.jax_disable_jit, config.jax_default_device

    def layered(self):
        rngs = nnx.Rngs(0)
        first, second = (nnx.Linear(*size, use_bias=False, rngs=rngs) for size in ((4, 6), (6, 3)))

        def load(*weights):
            for layer, array in zip((first, second), weights, strict=True):
                layer.kernel = nnx.Param(jax.numpy.asarray(array))

        return nnx.Sequential(first, nnx.relu, second), 0, load

    def dropout(self):
        return nnx.Dropout(0.5, rngs=nnx.Rngs(0))
