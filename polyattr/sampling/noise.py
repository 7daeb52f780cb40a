"""Gaussian draws that belong to (seed, input, draw), whatever the tile, framework or device.

A draw is shared by all samples of a call (common random numbers), so that a sample's map is the
same whether it is explained alone, in another order or among others.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor

SOURCES = ("portable", "native")


def portable_noise(seed: int, draw: int, leaf: int, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Draws standard normal noise from NumPy's Philox, a counter-based generator.

    Always float32, whatever the model computes in: the same question then has the same answer in
    float64.

    Args:
        seed: Any integer; its low 64 bits count.
        draw: Number of the draw.
        leaf: Number of the model input.
        shape: Shape of one sample.
    """
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, 0], dtype=np.uint64)
    # The lowest word of the counter advances with the numbers drawn, so the others name the stream.
    stream = np.array([0, leaf, draw, 0], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(counter=stream, key=key))
    return generator.standard_normal(shape, dtype=np.float32)


def stream_noise(
    backend: GradBackend, source: str, seed: int, draws: np.ndarray[Any, Any], likes: list[Tensor]
) -> Iterator[list[Tensor]]:
    """Yields the noise of one tile after the other, drawn while the last one computes.

    Args:
        backend: Makes the tensors.
        source: "portable" or "native".
        seed: The user's seed.
        draws: (T, K) numbers of the draws each tile needs.
        likes: The inputs; noise has their trailing shape and device.

    Yields:
        One tensor (K, ...) per input.
    """
    if source == "native":
        for tile in draws:
            numbers = [int(d) for d in tile]
            yield [backend.noise(seed, numbers, i, like) for i, like in enumerate(likes)]
        return
    shapes = [tuple(like.shape[1:]) for like in likes]
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead = pool.submit(_draw_tile, seed, draws[0], shapes)
        for following in [*draws[1:], None]:
            ready = ahead.result()
            if following is not None:
                ahead = pool.submit(_draw_tile, seed, following, shapes)
            yield [backend.to_native(a, like) for a, like in zip(ready, likes, strict=True)]


def _draw_tile(
    seed: int, draws: Sequence[int], shapes: list[tuple[int, ...]]
) -> list[np.ndarray[Any, Any]]:
    return [
        np.stack([portable_noise(seed, int(draw), leaf, shape) for draw in draws])
        for leaf, shape in enumerate(shapes)
    ]
