"""Baselines of values that are named, or lie at the ends of a range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.baseline import Baseline
from polyattr.errors import InputError, InputTypeError, brief


@dataclass(frozen=True)
class Zeros(Baseline):
    """Zero everywhere.

    Example:
        >>> import polyattr, torch
        >>> polyattr.baselines.Zeros()(torch.ones(4, 2))
        tensor([[0., 0.]])
    """

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """Zeros (1, ...)."""
        return backend.zeros((1, *x.shape[1:]), x, backend.dtype(x))


@dataclass(frozen=True)
class Constant(Baseline):
    """The same value for all samples: a number, or an array, as of one number per channel.

    Attributes:
        value: In the units of the inputs; broadcast to the shape of one sample.

    Raises:
        InputTypeError: An argument of another type.
        InputError: Not finite; or, when it is called, of a shape that does not fit.

    Example:
        >>> import polyattr, torch
        >>> polyattr.baselines.Constant([1.0, 2.0])(torch.ones(4, 2))
        tensor([[1., 2.]])
    """

    value: Any = 0.0

    def __post_init__(self) -> None:
        check_numbers("value", self.value)

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The value (1, ...)."""
        return Zeros().of(backend, x, number) + native_value(backend, "value", self.value, x)


@dataclass(frozen=True)
class MaximumDistance(Baseline):
    """For each feature the end of the range that is farther from it: the farthest corner.

    Attributes:
        low: Smallest value of the range, a number or an array that is broadcast to the shape of one
            sample; None takes the smallest of each sample.
        high: The largest likewise.

    Raises:
        InputTypeError: An argument of another type.
        InputError: Not finite, the wrong way round, or of a shape that does not fit.

    Example:
        >>> import polyattr, torch
        >>> polyattr.baselines.MaximumDistance(0.0, 1.0)(torch.tensor([[0.2, 0.9]]))
        tensor([[1., 0.]])
    """

    low: Any = None
    high: Any = None

    def __post_init__(self) -> None:
        check_range(self.low, self.high)

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The corner (N, ...)."""
        low, high = limits(backend, self.low, self.high, x)
        below = backend.cast(x * 2 <= low + high, backend.dtype(x))
        return low * (1 - below) + high * below


def check_numbers(name: str, value: Any) -> None:
    """Checks for a finite number, or an array of them.

    Raises:
        InputTypeError: Something else.
        InputError: NaN or infinite.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # a ragged list, a tensor elsewhere than on the host
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise InputTypeError(
            f"{name} is {brief(value)}; expected a number, or a list or NumPy array of numbers"
        )
    if not np.isfinite(array).all():
        raise InputError(f"{name} is {brief(value)}; expected finite numbers")


def check_range(low: Any, high: Any) -> None:
    """Checks the two ends of a range, of which either may be None.

    Raises:
        InputError: Not finite, or the wrong way round.
        InputTypeError: No numbers.
    """
    for name, value in (("low", low), ("high", high)):
        if value is not None:
            check_numbers(name, value)
    if low is not None and high is not None and np.any(np.asarray(low) > np.asarray(high)):
        raise InputError(
            f"low is {brief(low)} and high is {brief(high)}; expected low to be at most high"
        )


def native_value(backend: GradBackend, name: str, value: Any, x: Tensor) -> Tensor:
    """Brings a `value` to the device and dtype of samples `x` (N, ...), to be broadcast to one.

    Raises:
        InputError: It cannot be broadcast to the shape of a sample.
    """
    array, sample = np.asarray(value), tuple(int(size) for size in x.shape[1:])
    try:
        fits = np.broadcast_shapes(array.shape, sample) == sample
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"{name} has shape {array.shape}; expected a number, or a shape that is broadcast to "
            f"that of one sample, {sample}"
        )
    return backend.to_native(array, x, backend.dtype(x))


def limits(backend: GradBackend, low: Any, high: Any, x: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the ends of the range of samples `x` (N, ...), each to be broadcast to them."""
    features = backend.reshape(x, (x.shape[0], -1))
    lowest: Any = None if low is None else native_value(backend, "low", low, x)
    highest: Any = None if high is None else native_value(backend, "high", high, x)
    if lowest is None:
        lowest = backend.column(-backend.reduce("max", -features), x)
    if highest is None:
        highest = backend.column(backend.reduce("max", features), x)
    return lowest, highest
