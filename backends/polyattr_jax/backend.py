"""JAX: jitted kernels that take the parameters as arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from polyattr.backend import BoundModel, GradBackend, Score
from polyattr_jax.binding import bind, is_model
from polyattr_jax.compiling import Kernel, Shared, depends_on, on_host
from polyattr_jax.objects import JaxObjects

# Before 0.4.34 it has no public name.
_XLA_ERROR = getattr(jax.errors, "JaxRuntimeError", RuntimeError)


# NumPy takes longer to say the name of a dtype than JAX to start a program.
_NAMES = {
    jnp.dtype(name): name for name in ("float32", "float64", "float16", "bfloat16", "int32", "bool")
}


class JaxBackend(GradBackend):
    """Runs models on whatever device their inputs are on.

    Example:
        >>> from polyattr_jax import backend
        >>> backend.dtype(backend.to_native([1.0, 2.0], dtype="bfloat16"))
        'bfloat16'
    """

    name = "jax"
    objects = JaxObjects()
    interface = 1

    def __init__(self) -> None:
        self._shared = Shared()

    def claims(self, candidate: object) -> bool:
        """An array, a jitted function, or a flax, equinox, haiku or Keras model."""
        return self.is_tensor(candidate) or is_model(candidate)

    def bind(self, model: Any) -> BoundModel:
        """Takes a function, a flax, equinox or haiku model, or a Keras 3 model on JAX."""
        return bind(model)

    def is_tensor(self, value: object) -> bool:
        """A jax.Array, traced or not."""
        return isinstance(value, jax.Array)

    def grad(self, score: Score, rows: list[jax.Array]) -> tuple[jax.Array, list[jax.Array | None]]:
        """Differentiates the sum of scores: each score depends on its own row only."""

        def total(leaves: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
            scores = score(leaves)
            return scores.sum(), scores

        (_, scores), gradients = jax.value_and_grad(total, has_aux=True)(list(rows))
        return scores, gradients

    def grad_each(
        self,
        scores: Callable[[list[jax.Array]], Sequence[jax.Array]],
        rows: list[jax.Array],
        count: int,
    ) -> tuple[list[jax.Array], list[list[jax.Array | None]]]:
        """Pulls all of them back together, one by one where an operation has no batching rule."""
        every, pull = jax.vjp(lambda leaves: jnp.stack(scores(leaves)), list(rows))
        chosen = jnp.eye(count, dtype=every.dtype)[:, :, None] * jnp.ones_like(every)
        try:
            (together,) = jax.vmap(pull)(chosen)
            found = [[leaf[number] for leaf in together] for number in range(count)]
        except (NotImplementedError, ValueError):
            found = [pull(one)[0] for one in chosen]
        return list(every), found

    def fold(self, total: jax.Array, index: jax.Array, rows: jax.Array) -> jax.Array:
        """Scatters with addition."""
        return total.at[index].add(rows)

    def row_sums(self, tensor: jax.Array) -> jax.Array:
        """Sums all axes but the first."""
        return tensor.sum(axis=tuple(range(1, tensor.ndim)))

    def pick(self, outputs: jax.Array, columns: list[jax.Array]) -> jax.Array:
        """Indexes every row."""
        picked = on_host(_picked, outputs, *columns)
        if picked is not None:
            return self._beside(picked, outputs)
        found: jax.Array = _pick(outputs, tuple(columns))
        return found

    def maximum(self, a: jax.Array, b: jax.Array) -> jax.Array:
        """Elementwise."""
        return jnp.maximum(a, b)

    def reduce(self, kind: str, tensor: jax.Array) -> jax.Array:
        """Reduces the last axis."""
        found = jax.nn.logsumexp if kind == "logsumexp" else getattr(jnp, kind)
        reduced: jax.Array = found(tensor, axis=-1)
        return reduced

    def along(self, tensor: jax.Array, matrix: np.ndarray[Any, Any], axis: int) -> jax.Array:
        """In full precision, which accelerators do not multiply in unless told."""
        native = jnp.asarray(matrix, tensor.dtype)
        found = jnp.tensordot(native, tensor, (1, axis), precision=jax.lax.Precision.HIGHEST)
        return jnp.moveaxis(found, 0, axis)

    def ranks(self, rows: Sequence[jax.Array]) -> Sequence[jax.Array]:
        """Looks every entry up in its sorted row."""
        flat = [jax.lax.stop_gradient(row).reshape(row.shape[0], -1) for row in rows]
        joined = jnp.concatenate(flat, axis=1)
        found = jax.vmap(jnp.searchsorted)(jnp.sort(joined, axis=1), joined).astype(jnp.int32)
        ends = np.cumsum([part.shape[1] for part in flat])[:-1]
        parts = jnp.split(found, ends, axis=1)
        return [part.reshape(row.shape) for part, row in zip(parts, rows, strict=True)]

    def concat(self, parts: Sequence[jax.Array]) -> jax.Array:
        """Joins along the first axis."""
        alike = len({part.dtype for part in parts}) == 1
        joined = on_host(lambda *arrays: np.concatenate(arrays), *parts) if alike else None
        return jnp.concatenate(list(parts)) if joined is None else self._beside(joined, parts[0])

    def unstack(self, tensor: jax.Array) -> Sequence[jax.Array]:
        """Splits in one call."""
        return list(jnp.unstack(tensor))

    def to_native(
        self, array: Any, like: jax.Array | None = None, dtype: str | None = None
    ) -> jax.Array:
        """Copies to the device of `like`; float64 stays only where JAX has it enabled."""
        wanted = np.asarray(array).dtype if dtype is None else jnp.dtype(dtype)
        plain = np.asarray(array).astype(jax.dtypes.canonicalize_dtype(wanted))
        native: jax.Array = jax.device_put(plain, _device(like))
        return native

    def to_numpy(self, tensor: jax.Array) -> np.ndarray[Any, Any]:
        """Copies to the host; bfloat16, which NumPy lacks, as float32, and a key as its words."""
        if tensor.dtype not in _NAMES and jnp.issubdtype(tensor.dtype, jax.dtypes.prng_key):
            tensor = jax.random.key_data(tensor)
        host = np.asarray(tensor)
        return host.astype(np.float32) if _name(tensor) == "bfloat16" else host

    def dtype(self, tensor: jax.Array) -> str:
        """Names the dtype."""
        return _name(tensor)

    def cast(self, tensor: jax.Array, dtype: str) -> jax.Array:
        """Converts; the array itself if nothing changes."""
        return tensor if _name(tensor) == dtype else tensor.astype(dtype)

    def zeros(self, shape: tuple[int, ...], like: jax.Array, dtype: str) -> jax.Array:
        """Makes zeros on the device of `like`."""
        return jnp.zeros(shape, dtype, device=_device(like))

    def compile(
        self, function: Callable[..., Any], donate: int | None = None
    ) -> Callable[..., Any]:
        """Jits; shapes seen before are traced again only if the model may have changed."""
        return Kernel(function, donate, self._shared)

    def fuse(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Jits: each operation on its own would be a program for every shape."""
        return Kernel(function, None, self._shared)

    def batch(self, tensor: jax.Array, index: jax.Array) -> jax.Array:
        """Gathers."""
        taken = on_host(lambda rows, places: rows[places], tensor, index)
        if taken is not None:
            return self._beside(taken, tensor)
        found: jax.Array = _rows(tensor, index)
        return found

    def _beside(self, array: np.ndarray[Any, Any], like: jax.Array) -> jax.Array:
        """Puts what was made on the host where `like` is."""
        native: jax.Array = jax.device_put(array, _device(like))
        return native

    def noise(self, seed: int, draws: Sequence[int], leaf: int, like: jax.Array) -> jax.Array:
        """Draws on the device, from a key folded with the number of each draw."""
        # Seeds beyond 32 bits would overflow where 64-bit integers are off: fold the words in.
        key = jax.random.key(seed & 0xFFFFFFFF)
        for word in (seed >> 32 & 0xFFFFFFFF, leaf):
            key = jax.random.fold_in(key, np.uint32(word))
        numbers = self.to_native(np.asarray(draws, np.uint32), like)
        drawn: jax.Array = _normal(key, numbers, tuple(like.shape[1:]))
        return drawn

    def outline(self, function: Callable[..., Any], *args: Any) -> Any:
        """Evaluates shapes only."""
        return jax.eval_shape(function, *args)

    def connected(self, score: Score, rows: list[jax.Array]) -> list[bool]:
        """Reads the dependence off the traced derivative, without computing anything."""
        return depends_on(score, rows)

    def is_out_of_memory(self, error: Exception) -> bool:
        """XLA's status."""
        if isinstance(error, MemoryError):
            return True
        return isinstance(error, _XLA_ERROR) and "RESOURCE_EXHAUSTED" in str(error)

    def readable(self, tensor: jax.Array) -> bool:
        """Unless it is being traced."""
        return not isinstance(tensor, jax.core.Tracer)

    def refusal(self, value: object) -> str | None:
        """Sparse arrays; asking by name imports nothing for those who have none."""
        if type(value).__module__.startswith("jax.experimental.sparse"):
            kind = type(value).__name__
            return f"a sparse array ({kind}); expected a dense one, inputs.todense()"
        return None

    def device(self, tensor: jax.Array) -> object:
        """The devices, unless it is being traced."""
        return None if isinstance(tensor, jax.core.Tracer) else frozenset(tensor.devices())

    def accelerated(self, tensor: jax.Array) -> bool:
        """Anything but the CPU."""
        return any(device.platform != "cpu" for device in tensor.devices())

    def devices(self) -> list[str]:
        """The devices of the default platform."""
        return [str(device) for device in jax.devices()]


def _name(tensor: jax.Array) -> str:
    return _NAMES.get(tensor.dtype) or str(tensor.dtype)


def _device(like: jax.Array | None) -> Any:
    """Returns the one device a concrete array lives on; None lets JAX choose.

    What is put on a device by name stays there, and a program for several would refuse it. Where
    the array is where JAX chose to have it, JAX chooses for what goes with it.
    """
    if like is None or isinstance(like, jax.core.Tracer) or len(like.devices()) != 1:
        return None
    device = next(iter(like.devices()))
    # Before 0.4.31 `committed` has no public name.
    return device if getattr(like, "committed", True) or device != _first_choice() else None


def _first_choice() -> Any:
    chosen: Any = jax.config.jax_default_device  # type: ignore[attr-defined]  # made at run time
    if chosen is None or isinstance(chosen, str):
        return jax.local_devices(backend=chosen)[0]
    return chosen


@partial(jax.jit, inline=True)
def _rows(tensor: jax.Array, index: jax.Array) -> jax.Array:
    """One program where it stands alone, of which indexing would be six."""
    return tensor[index]


@partial(jax.jit, inline=True)
def _pick(outputs: jax.Array, columns: tuple[jax.Array, ...]) -> jax.Array:
    """Compiled once per shape and process where it stands alone: its parts are nine programs."""
    return outputs[(jnp.arange(outputs.shape[0]), *columns)]


def _picked(outputs: np.ndarray[Any, Any], *columns: np.ndarray[Any, Any]) -> Any:
    return outputs[(np.arange(len(outputs)), *columns)]


def _draw(key: jax.Array, numbers: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    keys = jax.vmap(lambda number: jax.random.fold_in(key, number))(numbers)
    return jax.vmap(lambda k: jax.random.normal(k, shape, jnp.float32))(keys)


_normal = jax.jit(_draw, static_argnums=2)
