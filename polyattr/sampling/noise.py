"""Draws that belong to (seed, input, draw), whatever the tile, framework or device.

A draw is shared by all samples of a call (common random numbers), so that a sample's map is the
same whether it is explained alone, in another order or among others; or it belongs to one sample,
by its id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.drawing.draws import Distribution, Draws, drawn

Array = np.ndarray[Any, Any]
SOURCES = ("portable", "native")
_MOST_INPUTS = 2**20
_MOST_KEPT = 2**20
"""Numbers that a `Stock` holds, 4 MiB: memory must not grow with the number of draws."""


def portable_noise(
    seed: int,
    draw: int,
    leaf: int,
    shape: tuple[int, ...],
    depth: int = 0,
    row: int | None = None,
    distribution: Distribution | None = None,
) -> Array:
    """Draws noise from NumPy's Philox, a counter-based generator.

    Always float32, whatever the model computes in: the same question then has the same answer in
    float64.

    Args:
        seed: Any integer; its low 64 bits count.
        draw: Number of the draw.
        leaf: Number of the model input.
        shape: Shape of one sample.
        depth: How many methods surround the one that draws: each has noise of its own.
        row: Id of the sample the draw belongs to; None where it belongs to all.
        distribution: Draws from the generator; standard normal without.
    """
    # The second word of the key is 1 for the draws of backgrounds.
    own = 0 if row is None else row + 2
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, own], dtype=np.uint64)
    # The lowest word of the counter advances with the numbers drawn, so the others name the stream.
    stream = np.array([0, leaf, draw, depth], dtype=np.uint64)
    generator = np.random.Generator(np.random.Philox(counter=stream, key=key))
    if distribution is not None:
        return drawn(generator, shape, distribution)
    return generator.standard_normal(shape, dtype=np.float32)


class Stock:
    """Draws that all samples share, kept for what asks for them again, as long as they are few.

    Attributes:
        room: How many more numbers it takes.
    """

    def __init__(self) -> None:
        self.room = _MOST_KEPT
        self._kept: dict[tuple[object, ...], Array] = {}

    def get(self, key: tuple[object, ...], draw: Callable[[], Array]) -> Array:
        """Returns what was drawn under a `key`; draws it if it was not, or is not kept."""
        found = self._kept.get(key)
        if found is None:
            found = draw()
            if found.size <= self.room:
                self._kept[key] = found
                self.room -= found.size
        return found


Named = Sequence[tuple[Any, int]]
"""Draws by the id of their sample, None where they belong to all, and their number."""


def stream_noise(
    backend: GradBackend,
    noise: tuple[Any, ...],
    draws: Sequence[Array],
    likes: list[Tensor],
    depth: int = 0,
    ids: Array | None = None,
    stock: Stock | None = None,
) -> Iterator[list[Tensor]]:
    """Yields the noise of one tile after the other, drawn while the last one computes.

    Args:
        backend: Makes the tensors.
        noise: The fields of `Draws`.
        draws: (K,) numbers of the draws each tile needs; where samples have their own, (2, K): the
            sample, and the number.
        likes: The inputs; noise has their trailing shape and device.
        depth: How many methods surround the one that draws.
        ids: (M,) what samples are called, for draws of their own.
        stock: What was drawn before, by the same `noise`, and is kept.

    Yields:
        One tensor (K, ...) per input.
    """
    given, kept = Draws(*noise), stock or Stock()
    named = [_named(tile, None if given.shared else ids) for tile in draws]
    if given.source == "native":
        for tile in named:
            yield [
                _native(backend, given.seed, tile, depth * _MOST_INPUTS + i, x)
                for i, x in enumerate(likes)
            ]
        return
    shapes = [tuple(like.shape[1:]) for like in likes]
    for arrays in _ahead(named, lambda tile: _draw_tile(given, tile, shapes, depth, kept)):
        yield [backend.to_native(a, like) for a, like in zip(arrays, likes, strict=True)]


def _named(tile: Array, ids: Array | None) -> Named:
    """Names the draws of a tile: (K,) where they belong to all, else (2, K), samples first."""
    if ids is None:
        return [(None, int(draw)) for draw in (tile if tile.ndim == 1 else tile[1])]
    return [(int(ids[sample]), int(draw)) for sample, draw in tile.T]


def _native(backend: GradBackend, seed: int, draws: Named, leaf: int, like: Tensor) -> Tensor:
    """Draws by the framework; a sample with draws of its own has a seed of its own, too."""
    if draws[0][0] is None:
        return backend.noise(seed, [draw for _, draw in draws], leaf, like)
    words = [seed & 0xFFFFFFFFFFFFFFFF, 0]
    parts = []
    for row, draw in draws:
        words[1] = row
        own = np.random.SeedSequence(words).generate_state(1, np.uint64)
        parts.append(backend.noise(int(own[0]), [draw], leaf, like))
    return backend.concat(parts)


def _ahead(draws: Sequence[Named], draw: Callable[[Named], list[Array]]) -> Iterator[list[Array]]:
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


def _draw_tile(
    given: Draws, draws: Named, shapes: list[tuple[int, ...]], depth: int, stock: Stock
) -> list[Array]:
    # A tile that needs fewer draws than others repeats one.
    once = {name: number for number, name in enumerate(dict.fromkeys(draws))}
    place = [once[name] for name in draws]

    def one(leaf: int, shape: tuple[int, ...], row: Any, draw: int) -> Array:
        def made() -> Array:
            return portable_noise(given.seed, draw, leaf, shape, depth, row, given.distribution)

        # One that belongs to a sample is asked for once.
        return made() if row is not None else stock.get((depth, leaf, draw), made)

    found = [
        np.stack([one(leaf, shape, row, draw) for row, draw in once])
        for leaf, shape in enumerate(shapes)
    ]
    return found if len(once) == len(draws) else [noise[place] for noise in found]
