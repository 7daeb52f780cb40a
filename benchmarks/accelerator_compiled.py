"""Devices of the frameworks that compile: JAX, and TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

from accelerator_places import CPU, Array, Gradient, Place, TorchPlace, nothing_found


class JaxPlace(Place):
    """A device of JAX, by its platform: "gpu", "tpu", "cpu"."""

    framework, packages = "jax", ("jax", "jaxlib")

    @property
    def _device(self) -> Any:
        import jax

        platform, _, number = self.device.partition(":")
        return jax.devices(platform)[int(number or 0)]

    def found(self) -> str:
        """The default platform."""
        import jax

        platform: str = jax.devices()[0].platform
        if platform == CPU:
            raise SystemExit(nothing_found("JAX"))
        return platform

    def card(self) -> str:
        """The kind of the device."""
        return str(self._device.device_kind)

    def put(self, array: Array) -> Any:
        """An array that stays there."""
        import jax

        return jax.device_put(array, self._device)

    def settled(self, model: Any) -> Any:
        """The model: it holds arrays made on the device."""
        return model

    def within(self) -> AbstractContextManager[Any]:
        """The default device."""
        import jax

        scope: AbstractContextManager[Any] = jax.default_device(self._device)
        return scope

    def exact(self) -> AbstractContextManager[Any]:
        """Without TF32 or bfloat16, which accelerators multiply in by default."""
        import jax

        scope: AbstractContextManager[Any] = jax.default_matmul_precision("highest")
        return scope

    def finish(self, value: Any) -> None:
        """By the array."""
        value.block_until_ready()

    def gradient(self, model: Any) -> Gradient:
        """Compiled, with the arrays the model holds as constants."""
        import jax

        def score(x: Any, classes: Any) -> Any:
            return model(x)[jax.numpy.arange(len(x)), classes].sum()

        gradient: Gradient = jax.jit(jax.grad(score))
        return gradient

    def silent(self, sends: bool) -> AbstractContextManager[Any] | None:
        """Transfers to the host, and those to the device that nobody asked for, raise."""
        return self._guarded(sends)

    @contextmanager
    def _guarded(self, sends: bool) -> Iterator[None]:
        import jax

        with ExitStack() as stack:
            stack.enter_context(jax.transfer_guard_device_to_host("disallow_explicit"))
            if not sends:
                stack.enter_context(jax.transfer_guard_host_to_device("disallow"))
                stack.enter_context(jax.transfer_guard_device_to_device("disallow"))
            yield

    def peak(self, work: Callable[[], object]) -> float | None:
        """Of XLA's allocator, which cannot forget a peak: one below an earlier one is that."""
        before = self._device.memory_stats() or {}
        if "peak_bytes_in_use" not in before:
            return super().peak(work)
        work()
        return float(self._device.memory_stats()["peak_bytes_in_use"] - before["bytes_in_use"]) / (
            2**20
        )


class TensorFlowPlace(Place):
    """A device of TensorFlow: "GPU:0", "cpu"."""

    framework, packages = "tensorflow", ("tensorflow", "keras")

    def found(self) -> str:
        """The first GPU or TPU."""
        import tensorflow as tf

        for kind in ("GPU", "TPU"):
            if tf.config.list_logical_devices(kind):
                return f"{kind}:0"
        raise SystemExit(nothing_found("TensorFlow"))

    def card(self) -> str:
        """What the driver calls it, of GPUs."""
        import tensorflow as tf

        found = tf.config.list_physical_devices(self.device.split(":")[0].upper())
        details = tf.config.experimental.get_device_details(found[0]) if found else {}
        return str(details.get("device_name", self.device))

    def put(self, array: Array) -> Any:
        """A tensor."""
        import tensorflow as tf

        with self.within():
            # A constant on the host would be copied by whatever uses it first.
            return tf.identity(tf.constant(array))

    def settled(self, model: Any) -> Any:
        """The model: its variables were made on the device."""
        return model

    def within(self) -> AbstractContextManager[Any]:
        """The scope of a device."""
        import tensorflow as tf

        scope: AbstractContextManager[Any] = tf.device(self.device)
        return scope

    @contextmanager
    def exact(self) -> Iterator[None]:
        """Without TF32."""
        from tensorflow import config

        before = config.experimental.tensor_float_32_execution_enabled()
        config.experimental.enable_tensor_float_32_execution(False)
        try:
            yield
        finally:
            config.experimental.enable_tensor_float_32_execution(before)

    def finish(self, value: Any) -> None:
        """By reading it: there is no call for one tensor."""
        value.numpy()

    def gradient(self, model: Any) -> Gradient:
        """Compiled to a graph."""
        import tensorflow as tf

        def gradient(x: Any, classes: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                score = tf.reduce_sum(tf.gather(model(x), classes, batch_dims=1))
            return tape.gradient(score, x)

        compiled: Gradient = tf.function(gradient)
        return compiled

    def peak(self, work: Callable[[], object]) -> float | None:
        """Of TensorFlow's allocator, which knows no peak of a CPU."""
        from tensorflow import config

        if self.device == CPU:
            return super().peak(work)
        config.experimental.reset_memory_stats(self.device)
        before = config.experimental.get_memory_info(self.device)["current"]
        work()
        peak = config.experimental.get_memory_info(self.device)["peak"]
        return float(peak - before) / 2**20


PLACES: dict[str, type[Place]] = {
    place.framework: place for place in (TorchPlace, JaxPlace, TensorFlowPlace)
}
