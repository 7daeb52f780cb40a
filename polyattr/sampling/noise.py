"""Gaussian draws that belong to (seed, input, draw), whatever the tile, framework or device.

A draw is shared by all samples of a call (common random numbers), so that a sample's map is the
same whether it is explained alone, in another order or among others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor

Array = np.ndarray[Any, Any]
SOURCES = ("portable", "native")
_MOST_INPUTS = 2**20


def portable_noise(
    seed: int, draw: int, leaf: int, shape: tuple[int, ...], depth: int = 0
) -> Array:
    """Draws standard normal noise from NumPy's Philox, a counter-based generator.

    Always float32, whatever the model computes in: the same question then has the same answer in
    float64.

    Args:
        seed: Any integer; its low 64 bits count.
        draw: Number of the draw.
        leaf: Number of the model input.
        shape: Shape of one sample.
        depth: How many methods surround the one that draws: each has noise of its own.
    """
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, 0], dtype=np.uint64)
    # The lowest word of the counter advances with the numbers drawn, so the others name the stream.
    stream = np.array([0, leaf, draw, depth], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(counter=stream, key=key))
    return generator.standard_normal(shape, dtype=np.float32)


def stream_noise(
    backend: GradBackend,
    noise: tuple[int, str],
    draws: Sequence[Array],
    likes: list[Tensor],
    depth: int = 0,
) -> Iterator[list[Tensor]]:
    """Yields the noise of one tile after the other, drawn while the last one computes.

    Args:
        backend: Makes the tensors.
        noise: The user's seed, and "portable" or "native".
        draws: (K,) numbers of the draws each tile needs.
        likes: The inputs; noise has their trailing shape and device.
        depth: How many methods surround the one that draws.

    Yields:
        One tensor (K, ...) per input.
    """
    seed, source = noise
    if source == "native":
        first = depth * _MOST_INPUTS
        for tile in draws:
            numbers = [int(d) for d in tile]
            yield [backend.noise(seed, numbers, first + i, x) for i, x in enumerate(likes)]
        return
    shapes = [tuple(like.shape[1:]) for like in likes]
    for arrays in _ahead(draws, lambda tile: _draw_tile(seed, tile, shapes, depth)):
        yield [backend.to_native(a, like) for a, like in zip(arrays, likes, strict=True)]


def _ahead(draws: Sequence[Array], draw: Callable[[Array], list[Array]]) -> Iterator[list[Array]]:
    """Yields the noise of each tile, while a thread draws that of the next."""
    if len(draws) == 1:
        yield draw(draws[0])
        return
    with ThreadPoolExecutor(max_workers=1) as pool:
        ahead = pool.submit(draw, draws[0])
        for following in [*draws[1:], None]:
            ready = ahead.result()
            if following is not None:
                ahead = pool.submit(draw, following)
            yield ready


def _draw_tile(seed: int, draws: Array, shapes: list[tuple[int, ...]], depth: int) -> list[Array]:
    # A tile that needs fewer draws than others repeats one.
    numbers, place = np.unique(draws, return_inverse=True)
    drawn = [
        np.stack([portable_noise(seed, int(draw), leaf, shape, depth) for draw in numbers])
        for leaf, shape in enumerate(shapes)
    ]
    return drawn if len(numbers) == len(draws) else [noise[place] for noise in drawn]
