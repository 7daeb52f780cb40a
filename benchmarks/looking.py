"""What it costs to know that a model is still the same: ``python benchmarks/looking.py jax``.

Prints, for the small network of the other benchmarks in a framework, the time of the look before
every call, of a walk (after a change), of a warm call, and of calls after an edit: of a setting
that the program depends on, and on frameworks that compile of weights under the same names.
"""

from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np

import polyattr
from polyattr.backend import Snapshot

X = np.random.default_rng(0).standard_normal((1, 64)).astype(np.float32)
SHAPES = ((64, 128), (128, 128), (128, 10))


def fastest(work: Callable[[], object], number: int) -> float:
    """Microseconds of the fastest of ten rounds."""
    return min(timeit.repeat(work, number=number, repeat=10)) / number * 1e6


def once(work: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    start = perf_counter()
    work()
    return (perf_counter() - start) * 1e3


def build(name: str) -> tuple[Callable[[Any], Any], dict[str, Any], Callable[[Any], Any]]:
    """Makes a function with its weights and settings in a dict, and what makes arrays native."""
    native, matmul, tanh = operations(name)
    generator = np.random.default_rng(1)
    held: dict[str, Any] = {
        "layers": [
            native(generator.standard_normal(shape).astype(np.float32) * 0.1) for shape in SHAPES
        ],
        "scale": 1.0,
    }

    def network(x: Any) -> Any:
        for weights in held["layers"]:
            x = tanh(matmul(x, weights) * held["scale"])
        return x

    return network, held, native


def operations(name: str) -> tuple[Callable[[Any], Any], Any, Any]:
    """The framework's own."""
    if name == "torch":
        import torch

        return torch.from_numpy, torch.matmul, torch.tanh
    if name == "jax":
        import jax.numpy as jnp

        return jnp.asarray, jnp.matmul, jnp.tanh
    import tensorflow as tf

    return tf.constant, tf.matmul, tf.tanh


def main(name: str) -> None:
    """Measures and prints."""
    network, held, native = build(name)
    method = polyattr.GradientInput(network, backend=name)
    x = native(X)
    first = once(lambda: method.explain(x, 0))
    for _ in range(3):
        method.explain(x, 0)
    backend = polyattr.backend.get_backend(name)
    watched = backend.bind(network).watched()
    snapshot = Snapshot(watched, backend.is_tensor)
    look, walk = (
        fastest(snapshot.holds, 100),
        fastest(lambda: Snapshot(watched, backend.is_tensor), 10),
    )
    warm = fastest(lambda: method.explain(x, 0), 10)
    held["layers"][1] = held["layers"][1] * 2
    weights = once(lambda: method.explain(x, 0))
    held["scale"] = 2.0
    setting = once(lambda: method.explain(x, 0))
    print(f"{name}: look {look:.1f} us, walk {walk:.0f} us, warm call {warm / 1e3:.2f} ms,")
    print(
        f"  first call {first:.0f}, after other weights {weights:.0f}, a setting {setting:.0f} ms"
    )


if __name__ == "__main__":
    main(sys.argv[1])
