"""JAX: jitted kernels that take the parameters as arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from polyattr.backend import BoundModel, GradBackend, Score, Tensor
from polyattr_jax import demo_network
from polyattr_jax.binding import bind, is_model
from polyattr_jax.dependence import depends_on

# Before 0.4.34 it has no public name.
_XLA_ERROR = getattr(jax.errors, "JaxRuntimeError", RuntimeError)


class JaxBackend(GradBackend):
    """Runs models on whatever device their inputs are on.

    Example:
        >>> from polyattr_jax import backend
        >>> backend.dtype(backend.to_native([1.0, 2.0], dtype="bfloat16"))
        'bfloat16'
    """

    name = "jax"
    interface = 1

    def claims(self, candidate: object) -> bool:
        """An array, a jitted function, or a flax, equinox, haiku or Keras model."""
        return self.is_tensor(candidate) or is_model(candidate)

    def bind(self, model: Any) -> BoundModel:
        """Takes a function, a flax, equinox or haiku model, or a Keras 3 model on JAX."""
        return bind(model)

    def is_tensor(self, value: object) -> bool:
        """A jax.Array, traced or not."""
        return isinstance(value, jax.Array)

    def grad(self, score: Score, rows: list[Tensor]) -> tuple[Tensor, list[Tensor | None]]:
        """Differentiates the sum of scores: each score depends on its own row only."""

        def total(leaves: list[Tensor]) -> tuple[Tensor, Tensor]:
            scores = score(leaves)
            return scores.sum(), scores

        (_, scores), gradients = jax.value_and_grad(total, has_aux=True)(list(rows))
        return scores, gradients

    def fold(self, total: Tensor, index: Tensor, rows: Tensor) -> Tensor:
        """Scatters with addition."""
        return total.at[index].add(rows)

    def row_sums(self, tensor: Tensor) -> Tensor:
        """Sums all axes but the first."""
        return tensor.sum(axis=tuple(range(1, tensor.ndim)))

    def pick(self, outputs: Tensor, columns: list[Tensor]) -> Tensor:
        """Indexes every row."""
        return outputs[(jnp.arange(outputs.shape[0]), *columns)]

    def maximum(self, a: Tensor, b: Tensor) -> Tensor:
        """Elementwise."""
        return jnp.maximum(a, b)

    def reduce(self, kind: str, tensor: Tensor) -> Tensor:
        """Reduces the last axis."""
        found = jax.nn.logsumexp if kind == "logsumexp" else getattr(jnp, kind)
        return found(tensor, axis=-1)

    def concat(self, parts: Sequence[Tensor]) -> Tensor:
        """Joins along the first axis."""
        return jnp.concatenate(list(parts))

    def unstack(self, tensor: Tensor) -> Sequence[Tensor]:
        """Splits in one call."""
        return list(jnp.unstack(tensor))

    def to_native(self, array: Any, like: Tensor | None = None, dtype: str | None = None) -> Tensor:
        """Copies to the device of `like`; float64 stays only where JAX has it enabled."""
        wanted = np.asarray(array).dtype if dtype is None else jnp.dtype(dtype)
        plain = np.asarray(array).astype(jax.dtypes.canonicalize_dtype(wanted))
        return jax.device_put(plain, _device(like))

    def to_numpy(self, tensor: Tensor) -> np.ndarray[Any, Any]:
        """Copies to the host; bfloat16, which NumPy lacks, as float32."""
        host = np.asarray(tensor)
        return host.astype(np.float32) if str(host.dtype) == "bfloat16" else host

    def dtype(self, tensor: Tensor) -> str:
        """Names the dtype."""
        return str(tensor.dtype)

    def cast(self, tensor: Tensor, dtype: str) -> Tensor:
        """Converts; the array itself if nothing changes."""
        return tensor if str(tensor.dtype) == dtype else tensor.astype(dtype)

    def zeros(self, shape: tuple[int, ...], like: Tensor, dtype: str) -> Tensor:
        """Makes zeros on the device of `like`."""
        return jnp.zeros(shape, dtype, device=_device(like))

    def compile(
        self, function: Callable[..., Any], donate: int | None = None
    ) -> Callable[..., Any]:
        """Jits; shapes seen before are never traced again."""
        donated = () if donate is None else donate
        compiled: Callable[..., Any] = jax.jit(function, donate_argnums=donated)
        return compiled

    def noise(self, seed: int, draws: Sequence[int], leaf: int, like: Tensor) -> Tensor:
        """Draws on the device, from a key folded with the number of each draw."""
        # Seeds beyond 32 bits would overflow where 64-bit integers are off: fold the words in.
        key = jax.random.key(seed & 0xFFFFFFFF)
        for word in (seed >> 32 & 0xFFFFFFFF, leaf):
            key = jax.random.fold_in(key, np.uint32(word))
        numbers = self.to_native(np.asarray(draws, np.uint32), like)
        return _normal(key, numbers, tuple(like.shape[1:]))

    def outline(self, function: Callable[..., Any], *args: Any) -> Any:
        """Evaluates shapes only."""
        return jax.eval_shape(function, *args)

    def connected(self, score: Score, rows: list[Tensor]) -> list[bool]:
        """Reads the dependence off the traced derivative, without computing anything."""
        return depends_on(score, rows)

    def is_out_of_memory(self, error: Exception) -> bool:
        """XLA's status."""
        if isinstance(error, MemoryError):
            return True
        return isinstance(error, _XLA_ERROR) and "RESOURCE_EXHAUSTED" in str(error)

    def accelerated(self, tensor: Tensor) -> bool:
        """Anything but the CPU."""
        return any(device.platform != "cpu" for device in tensor.devices())

    def devices(self) -> list[str]:
        """The devices of the default platform."""
        return [str(device) for device in jax.devices()]

    def demo_network(self, weights: Mapping[str, np.ndarray[Any, Any]]) -> Any:
        """Builds the demo network as a function that returns logits."""
        return demo_network.build(weights)


def _device(like: Tensor | None) -> Any:
    """Returns the one device a concrete array lives on; None lets JAX choose."""
    if like is None or isinstance(like, jax.core.Tracer) or len(like.devices()) != 1:
        return None
    return next(iter(like.devices()))


def _draw(key: Tensor, numbers: Tensor, shape: tuple[int, ...]) -> Tensor:
    keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
    return jax.vmap(lambda k: jax.random.normal(k, shape, jnp.float32))(keys)


_normal = jax.jit(_draw, static_argnums=2)
