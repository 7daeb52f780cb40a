"""Which pairs of features are looked at."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import InputError, InputTypeError, brief

Feature = int | tuple[int, ...]
"""A feature of a sample: its number, counted through the sample, or its place there."""

Features = tuple[Feature, ...] | None
"""Several of them; None for all."""


@dataclass(frozen=True)
class Chosen:
    """A block of the matrix of all pairs, or some of them.

    Attributes:
        features: Rows of the block.
        others: Columns of the block; None for those of `features`.
        pairs: Instead of a block, pairs of features.
    """

    features: Features = None
    others: Features = None
    pairs: tuple[tuple[Feature, Feature], ...] | None = None

    def shape(self, sample: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the products for one sample of the shape `sample`."""
        if self.pairs is not None:
            return (len(self.pairs),)
        rows, columns = self._sides
        features = math.prod(sample)
        return tuple(features if side is None else len(side) for side in (rows, columns))

    @property
    def _sides(self) -> tuple[Features, Features]:
        return self.features, self.features if self.others is None else self.others

    def products(self, backend: GradBackend, a: Tensor, b: Tensor) -> Tensor:
        """Returns a_i b_j (R, ...) for the pairs (i, j), of `a` and `b` (R, ...)."""
        if self.pairs is not None:
            first, second = zip(*self.pairs, strict=True)
            return _taken(backend, a, first) * _taken(backend, b, second)
        rows, columns = self._sides
        return _taken(backend, a, rows)[:, :, None] * _taken(backend, b, columns)[:, None]


def check_features(name: str, given: Any) -> Features:
    """Checks for None or a list of features, and returns it as a tuple.

    Raises:
        InputTypeError: Something else.
        InputError: None at all.
    """
    if given is None:
        return None
    if not isinstance(given, list | tuple | range | np.ndarray):
        raise InputTypeError(
            f"{name} is {brief(given)}; expected a list of features, such as [3, 17], or of their "
            f"places in a sample, such as [(0, 3), (1, 5)]"
        )
    if not len(given):
        raise InputError(f"{name} is empty; expected at least one feature, or None for all")
    return tuple(_feature(name, one) for one in given)


def check_pairs(name: str, given: Any) -> tuple[tuple[Feature, Feature], ...] | None:
    """Checks for None or a list of pairs of features, and returns it as a tuple.

    Raises:
        InputTypeError: Something else.
        InputError: None at all.
    """
    if given is None:
        return None
    several = isinstance(given, list | tuple | np.ndarray)
    if not several or not all(hasattr(pair, "__len__") and len(pair) == 2 for pair in given):
        raise InputTypeError(
            f"{name} is {brief(given)}; expected a list of pairs of features, such as [(3, 17)]"
        )
    if not len(given):
        raise InputError(f"{name} is empty; expected at least one pair")
    return tuple((_feature(name, first), _feature(name, second)) for first, second in given)


def _feature(name: str, given: Any) -> Feature:
    if isinstance(given, numbers.Integral) and not isinstance(given, bool):
        return int(given)
    place = isinstance(given, list | tuple | np.ndarray) and len(given) > 0
    if not place or not all(isinstance(i, numbers.Integral) for i in given):
        raise InputTypeError(
            f"{name} names {brief(given)}; expected the number of a feature, or its place (i, j)"
        )
    return tuple(int(i) for i in given)


def _taken(backend: GradBackend, tensor: Tensor, features: Features) -> Tensor:
    """Returns the chosen features (R, K) of a `tensor` (R, ...)."""
    rows, sample = int(tensor.shape[0]), tuple(int(size) for size in tensor.shape[1:])
    size = math.prod(sample)
    if features is None:
        return backend.reshape(tensor, (rows, size))
    places = np.array([_number(feature, sample) for feature in features])
    index = (np.arange(rows)[:, None] * size + places).ravel().astype(np.int32)
    flat = backend.batch(backend.reshape(tensor, (-1,)), backend.to_native(index, tensor))
    return backend.reshape(flat, (rows, len(features)))


def _number(feature: Feature, sample: tuple[int, ...]) -> int:
    """Counts a feature through a sample.

    Raises:
        InputError: It is not there.
    """
    try:
        place = feature if isinstance(feature, tuple) else np.unravel_index(feature, sample)
        return int(np.ravel_multi_index(place, sample))
    except ValueError:
        raise InputError(
            f"there is no feature {feature} in samples of shape {sample}; expected a number below "
            f"{math.prod(sample)}, or a place with {len(sample)} indices in that shape"
        ) from None
