"""The networks that are tried on accelerators: those of `cells.py`, and a small transformer."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from accelerator_places import Array, Place
from cells import CLASSES, SHAPES
from networks import build

TOKENS, WIDTH, HIDDEN, LAYERS = 32, 64, 128, 2
SHAPE_OF = {**SHAPES, "transformer": (TOKENS, WIDTH)}
"""The shape of one sample of each network, channels first."""

NETWORKS = tuple(SHAPE_OF)


def samples(place: Place, network: str, count: int, repeated: int = 1) -> Any:
    """Draws samples on the device, always the same, each `repeated` times in a row."""
    x = np.random.default_rng(1).random((count, *SHAPE_OF[network]), dtype=np.float32)
    if place.framework == "tensorflow" and x.ndim == 4:
        x = np.moveaxis(x, 1, -1)  # as its networks take them
    return place.put(np.repeat(x, repeated, axis=0))


def classes(count: int, repeated: int = 1) -> Array:
    """The class to explain of each sample."""
    return np.repeat(np.arange(count) % CLASSES, repeated)


def network_on(place: Place, network: str) -> Any:
    """Builds a network on a device, with the same weights on each."""
    with place.within():
        if network != "transformer":
            return place.settled(build(place.framework, network))
        return _transformer(place)


def _transformer(place: Place) -> Callable[[Any], Any]:
    """Layers of attention by one head and of ReLU, without norms, as a function (N, T, D)."""
    einsum, softmax, relu = _operations(place.framework)
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        spread = 1 / np.sqrt(shape[0])
        return place.put((rng.standard_normal(shape) * spread).astype(np.float32))

    inner = ((WIDTH, WIDTH),) * 3 + ((WIDTH, HIDDEN), (HIDDEN, WIDTH))
    layers = [[drawn(*shape) for shape in inner] for _ in range(LAYERS)]
    head = drawn(WIDTH, CLASSES)

    def scores(x: Any) -> Any:
        for query, key, value, up, down in layers:
            q, k, v = (einsum("ntd,de->nte", x, one) for one in (query, key, value))
            seen = softmax(einsum("nte,nse->nts", q, k) / WIDTH**0.5)
            x = x + einsum("nts,nse->nte", seen, v)
            x = x + einsum("nth,hd->ntd", relu(einsum("ntd,dh->nth", x, up)), down)
        return einsum("ntd,dc->nc", x, head) / TOKENS

    return scores


def _operations(framework: str) -> tuple[Any, Any, Any]:
    if framework == "torch":
        import torch

        return torch.einsum, lambda x: torch.softmax(x, -1), torch.relu
    if framework == "jax":
        import jax

        return jax.numpy.einsum, jax.nn.softmax, jax.nn.relu
    import tensorflow as tf

    return tf.einsum, tf.nn.softmax, tf.nn.relu


def tiles(total: int, splits: tuple[int, ...]) -> list[int]:
    """The sizes of equal tiles of `total` rows, for each number of tiles that divides it."""
    return sorted({total // parts for parts in splits if total % parts == 0})


def pairs(rows: Any, labels: Any, size: int) -> list[tuple[Any, Any]]:
    """Cuts rows (R, ...) and labels (R,) into tiles."""
    cuts = itertools.pairwise(range(0, len(labels) + 1, size))
    return [(rows[i:j], labels[i:j]) for i, j in cuts]
