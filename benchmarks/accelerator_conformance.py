"""The conformance suite on a device; `accelerator_suite.py` has pytest run it.

``POLYATTR_PLACE=torch:cuda`` names framework and device.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from accelerator_compiled import PLACES
from polyattr.testing import BackendConformance
from polyattr.testing.harness import FLOATS

FRAMEWORK, _, DEVICE = os.environ["POLYATTR_PLACE"].partition(":")
PLACE = PLACES[FRAMEWORK](DEVICE)


def _lacks() -> dict[str, str]:
    lacking = {}
    settled = "deterministic_ops=true" in os.environ.get("XLA_FLAGS", "")
    if PLACE.accelerated and FRAMEWORK != "torch" and not settled:
        lacking["sums in order"] = f"{FRAMEWORK} scatters by atomic additions on GPUs"
    for dtype in FLOATS:
        try:
            PLACE.backend.to_native(np.ones(1), PLACE.put(np.ones(1, np.float32)), dtype)
        except (TypeError, RuntimeError) as error:  # MPS has no float64
            lacking[dtype] = str(error).splitlines()[0]
    return lacking


class _OnPlace(BackendConformance):
    backend = PLACE.backend
    lacks = _lacks()

    @pytest.fixture(autouse=True)
    def _exact(self) -> Iterator[None]:
        """The references are of full precision."""
        with PLACE.exact():
            yield

    def like(self) -> Any:
        return PLACE.put(np.zeros(1, np.float32))

    def peak(self, work: Callable[[], None]) -> int:
        measured = PLACE.peak(work) if PLACE.accelerated else None
        return super().peak(work) if measured is None else int(measured * 2**20)


class _OnTorch(_OnPlace):
    def compiled(self, function: Callable[..., Any]) -> Any:
        import torch

        return torch.compile(function, backend="eager")

    def settings(self) -> Any:
        import torch

        states = [torch.random.get_rng_state()]
        if PLACE.accelerated:
            states.append(getattr(torch, PLACE.device.split(":")[0]).get_rng_state())
        modes = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        return modes, torch.get_default_dtype(), [state.tolist() for state in states]

    def parameter(self, array: Any) -> Any:
        import torch

        return torch.nn.Parameter(PLACE.put(np.asarray(array, np.float32)))

    def layered(self) -> Any:
        import torch
        from torch import nn

        first, second = nn.Linear(4, 6, bias=False), nn.Linear(6, 3, bias=False)

        def load(*weights: Any) -> None:
            with torch.no_grad():
                for layer, array in zip((first, second), weights, strict=True):
                    layer.weight.copy_(torch.tensor(array.T))

        return PLACE.settled(nn.Sequential(first, nn.ReLU(), second)), "0", load

    def dropout(self) -> Any:
        from torch import nn

        return nn.Dropout(0.5)


class _OnJax(_OnPlace):
    def compiled(self, function: Callable[..., Any]) -> Any:
        import jax

        return jax.jit(function)

    def double(self) -> AbstractContextManager[Any]:
        import jax

        # JAX before 0.8 has it among the experiments.
        owner: Any = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
        found: AbstractContextManager[Any] = owner.enable_x64(True)
        return found

    def layered(self) -> Any:
        with suppress(ImportError):
            from flax import nnx

            with PLACE.within():
                rngs = nnx.Rngs(0)
                sizes = ((4, 6), (6, 3))
                layers = [nnx.Linear(*size, use_bias=False, rngs=rngs) for size in sizes]

            def load(*weights: Any) -> None:
                for layer, array in zip(layers, weights, strict=True):
                    layer.kernel = nnx.Param(PLACE.put(np.asarray(array)))

            return nnx.Sequential(layers[0], nnx.relu, layers[1]), 0, load
        return None


class _OnTensorFlow(_OnPlace):
    def compiled(self, function: Callable[..., Any]) -> Any:
        import tensorflow as tf

        return tf.function(function)

    def layered(self) -> Any:
        import keras

        with PLACE.within():
            layers = [
                keras.layers.Dense(6, use_bias=False, name="first"),
                keras.layers.ReLU(),
                keras.layers.Dense(3, use_bias=False),
            ]
            model = keras.Sequential([keras.Input((4,)), *layers])
        return model, "first", lambda *weights: model.set_weights(weights)


_BY_FRAMEWORK = {"torch": _OnTorch, "jax": _OnJax, "tensorflow": _OnTensorFlow}
TestAccelerator: Any = type("TestAccelerator", (_BY_FRAMEWORK[FRAMEWORK],), {})
