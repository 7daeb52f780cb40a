"""Baselines that are drawn at random, for each sample by its own values."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import axes_of, check_axes
from polyattr.baselines.baseline import Baseline
from polyattr.baselines.values import check_range, limits
from polyattr.errors import InputError
from polyattr.question.checks import check_count, check_flag

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Drawn(Baseline):
    """What is drawn for a sample depends on the seed and its values, never on other samples.

    `UniformNoise` and `Permutation` are such.

    The draws are NumPy's, the same in every framework, and so are those of equal samples.

    Attributes:
        nb_draws: Draws per sample, K; attributions are averaged over them.
        seed: Seed of the draws.
        shared_draws: Whether all samples have the same draws.

    Raises:
        InputTypeError: An argument of another type.
        InputError: A number below its least.

    Example:
        >>> import polyattr
        >>> issubclass(polyattr.baselines.UniformNoise, polyattr.baselines.Drawn)
        True
    """

    nb_draws: int = 1
    seed: int = 0
    shared_draws: bool = False

    def __post_init__(self) -> None:
        check_count("nb_draws", self.nb_draws, 1)
        check_count("seed", self.seed, 0)
        check_flag("shared_draws", self.shared_draws)

    @abstractmethod
    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Draws one array for a sample of some `shape` from a `generator`."""

    def draws(self, backend: GradBackend, x: Tensor, number: int) -> Array:
        """Returns the draws of input `number`, samples `x` (N, ...) of a `backend`.

        (N, K, ...), or (1, K, ...) where they are shared by all.

        Raises:
            InputError: The values of the samples are not known, as in a trace.
        """
        owners = [0]
        if not self.shared_draws:
            if not backend.readable(x):
                raise InputError(
                    f"{type(self).__name__} draws by the values of the samples, which a trace does "
                    f"not have; expected shared_draws=True here"
                )
            owners = [owner_of(sample) for sample in backend.to_numpy(x)]
        shape = tuple(int(size) for size in x.shape[1:])
        return np.stack([np.stack(self._of_one(owner, number, shape)) for owner in owners])

    def _of_one(self, owner: int, number: int, shape: tuple[int, ...]) -> list[Array]:
        each = (generator_of(self.seed, owner, number, k) for k in range(self.nb_draws))
        return [self.draw(generator, shape) for generator in each]


@dataclass(frozen=True)
class UniformNoise(Drawn):
    """Uniform noise, with nothing of the sample but its range; takes the arguments of `Drawn` too.

    Attributes:
        low: Smallest value, a number or an array that is broadcast to the shape of one sample; None
            takes the smallest of each sample.
        high: The largest likewise.

    Raises:
        InputTypeError: An argument of another type.
        InputError: Not finite, the wrong way round, or of a shape that does not fit; and as
            `Drawn`.

    Example:
        >>> import polyattr, torch
        >>> noise = polyattr.baselines.UniformNoise(0.0, 1.0, nb_draws=8)(torch.ones(4, 2))
        >>> noise.shape, bool((noise >= 0).all() & (noise <= 1).all())
        (torch.Size([4, 8, 2]), True)
    """

    low: Any = None
    high: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range(self.low, self.high)

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Numbers from 0 to 1."""
        return generator.random(shape, dtype=np.float32)

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The noise (N, K, ...); without the second axis for one draw."""
        draws = self.draws(backend, x, number)
        low, high = limits(backend, self.low, self.high, x)
        kind = backend.dtype(x)
        if self.nb_draws == 1:
            return low + (high - low) * backend.to_native(draws[:, 0], x, kind)
        sample = tuple(x.shape[1:])
        low, high = (_with_draws(backend, end, sample) for end in (low, high))
        return low + (high - low) * backend.to_native(draws, x, kind)


@dataclass(frozen=True)
class Permutation(Drawn):
    """The values of each sample in another order; takes the arguments of `Drawn` too.

    Attributes:
        axis: The axis of the inputs along which whole slices change places, as tokens or channels;
            None lets every single value.

    Raises:
        InputTypeError: An argument of another type.
        InputError: The axis of samples, or, when it is called, one that the inputs do not have; and
            as `Drawn`.

    Example:
        >>> import polyattr, torch
        >>> polyattr.baselines.Permutation(seed=1)(torch.arange(5.0)[None]).sort().values
        tensor([[0., 1., 2., 3., 4.]])
    """

    axis: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.axis is not None:
            check_axes("axis", (self.axis,))

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """For each place of a sample where its value comes from, counted through the sample."""
        places = np.arange(int(np.prod(shape))).reshape(shape)
        if self.axis is None:
            return generator.permutation(places.ravel()).reshape(shape)
        (axis,) = axes_of("axis", (self.axis,), len(shape) + 1)
        return np.take(places, generator.permutation(shape[axis - 1]), axis=axis - 1)

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The permuted samples (N, K, ...); without the second axis for one draw."""
        return rearranged(backend, x, self.draws(backend, x, number))


def rearranged(backend: GradBackend, x: Tensor, places: Array) -> Tensor:
    """Returns samples (N, ...) with their values in other places: (N, K, ...), (N, ...) for K = 1.

    Args:
        backend: The framework.
        x: The samples.
        places: (N, K, ...) or (1, K, ...) where in its sample each value comes from.
    """
    n, sample = int(x.shape[0]), tuple(int(size) for size in x.shape[1:])
    features, count = int(np.prod(sample)), places.shape[1]
    first = features * np.arange(n).reshape(n, *[1] * (places.ndim - 1))
    index = (places + first).astype(np.int32)
    values = backend.reshape(x, (n * features,))
    taken = backend.batch(values, backend.to_native(index.ravel(), x))
    several = () if count == 1 else (count,)
    return backend.reshape(taken, (n, *several, *sample))


def generator_of(seed: int, owner: int, number: int, draw: int) -> np.random.Generator:
    """Returns the generator of one draw of input `number`, for the sample called `owner`."""
    key = np.array([seed & 0xFFFFFFFFFFFFFFFF, owner], dtype=np.uint64)
    # The lowest word advances with the numbers drawn; the last keeps clear of noise draws.
    counter = np.array([0, number, draw, 0xFFFFFFFF], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))


def owner_of(sample: Array) -> int:
    """Makes a number of 64 bits of the values of a sample, whatever their dtype."""
    plain = np.ascontiguousarray(sample, dtype=np.float64) + 0.0  # -0.0 and 0.0 are equal
    return int.from_bytes(hashlib.blake2b(plain.tobytes(), digest_size=8).digest(), "little")


def _with_draws(backend: GradBackend, end: Tensor, sample: tuple[int, ...]) -> Tensor:
    """Gives one end of a range an axis for the draws: (N, 1, ...), or unchanged if for all."""
    if len(end.shape) <= len(sample):
        return end
    return backend.reshape(end, (end.shape[0], 1, *end.shape[1:]))
