"""Baselines that keep what is coarse about a sample and take away the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.baseline import Baseline
from polyattr.errors import InputError, InputTypeError
from polyattr.question.checks import check_count, check_non_negative

_CHANNELS = {1, 3, 4}


@dataclass(frozen=True)
class Mean(Baseline):
    """The mean of each sample over its features, or over those of each channel.

    For means over other samples see `DataRows` and `Constant`: a baseline that came from the batch
    would change with it.

    Attributes:
        channel_axis: The axis of the inputs, whose first counts samples, that is not averaged over;
            None for one mean per sample.

    Raises:
        InputTypeError: An argument of another type.
        InputError: The axis of samples, or, when it is called, one that the inputs do not have.

    Example:
        >>> import polyattr, torch
        >>> polyattr.baselines.Mean()(torch.tensor([[1.0, 3.0]]))
        tensor([[2., 2.]])
    """

    channel_axis: int | None = None

    def __post_init__(self) -> None:
        if self.channel_axis is not None:
            check_axes("channel_axis", (self.channel_axis,))

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The mean (N, ...) in the place of every feature."""
        rank, kept = len(x.shape), None
        if self.channel_axis is not None:
            (kept,) = axes_of("channel_axis", (self.channel_axis,), rank)
        wide = backend.accumulator_dtype(x)
        mean = backend.cast(x, wide)
        for axis in range(1, rank):
            if axis != kept:
                mean = backend.along(mean, np.full((1, x.shape[axis]), 1 / x.shape[axis]), axis)
        spread = backend.zeros(tuple(x.shape), x, wide) + mean
        return backend.cast(spread, backend.dtype(x))


@dataclass(frozen=True)
class Blur(Baseline):
    """Each sample under a Gaussian blur; beyond the borders nothing has weight.

    Attributes:
        sigma: Standard deviation of the Gaussian, in steps of the axes (pixels, samples of time).
        axes: The axes of the inputs to blur along, counted with the first, which counts samples.
            None takes the only one there is, or all of a picture but its 1, 3 or 4 channels.

    Raises:
        InputTypeError: An argument of another type.
        InputError: `sigma` is negative, or axes that the inputs do not have; or, when it is
            called without axes, inputs that do not tell them.

    Example:
        >>> import polyattr, torch
        >>> polyattr.baselines.Blur(1.0)(torch.tensor([[0.0, 1.0, 0.0]])).round(decimals=2)
        tensor([[0.3500, 0.4500, 0.3500]])
    """

    sigma: float = 3.0
    axes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        check_non_negative("sigma", self.sigma)
        if self.axes is not None:
            check_axes("axes", self.axes)

    def of(self, backend: GradBackend, x: Tensor, number: int) -> Tensor:
        """The blurred samples (N, ...)."""
        found = backend.cast(x, backend.accumulator_dtype(x))
        for axis in self._axes(tuple(int(size) for size in x.shape)):
            found = backend.along(found, gaussian(int(x.shape[axis]), float(self.sigma)), axis)
        return backend.cast(found, backend.dtype(x))

    def _axes(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        rank = len(shape)
        if self.axes is not None:
            return axes_of("axes", self.axes, rank)
        if rank == 2:
            return (1,)
        channels = [axis for axis in (1, 3) if rank == 4 and shape[axis] in _CHANNELS]
        if len(channels) != 1:
            raise InputError(
                f"Blur is given inputs of shape {shape} and no axes, and which of them are space "
                f"or time cannot be told; expected axes=, such as (2, 3) for (N, C, H, W)"
            )
        return tuple(axis for axis in (1, 2, 3) if axis not in channels)


def gaussian(size: int, sigma: float) -> np.ndarray:
    """The matrix (size, size) of a Gaussian blur, whose rows sum to 1."""
    if sigma == 0:
        return np.eye(size)
    steps = np.arange(size)
    weights = np.exp(-(((steps[:, None] - steps) / sigma) ** 2) / 2)
    blur: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return blur


def check_axes(name: str, axes: object) -> None:
    """Checks for a tuple of whole numbers.

    Raises:
        InputTypeError: Something else.
        InputError: The axis of samples among them.
    """
    if not isinstance(axes, tuple):
        raise InputTypeError(f"{name} is {axes!r}; expected a tuple of ints, such as (2, 3)")
    for axis in axes:
        check_count(name, axis, -32)
        if axis == 0:
            raise InputError(f"{name} names axis 0, which counts samples; expected another")


def axes_of(name: str, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    """Counts `axes` of inputs with `rank` axes from the first.

    Raises:
        InputError: There is no such axis, or it counts samples.
    """
    if any(not -rank < axis < rank for axis in axes):
        raise InputError(
            f"{name} is {axes if len(axes) > 1 else axes[0]}, and the inputs have {rank} axes, of "
            f"which the first counts samples; expected 1 to {rank - 1}"
        )
    return tuple(axis % rank for axis in axes)
