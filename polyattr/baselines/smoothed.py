"""Baselines that keep what is coarse about a sample and take away the rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import axes_of, check_axes, space_axes
from polyattr.baselines.baseline import Baseline
from polyattr.question.checks import check_non_negative


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
        for axis in space_axes("Blur", self.axes, tuple(int(size) for size in x.shape)):
            found = backend.along(found, gaussian(int(x.shape[axis]), float(self.sigma)), axis)
        return backend.cast(found, backend.dtype(x))


def gaussian(size: int, sigma: float) -> np.ndarray:
    """The matrix (size, size) of a Gaussian blur, whose rows sum to 1."""
    if sigma == 0:
        return np.eye(size)
    steps = np.arange(size)
    weights = np.exp(-(((steps[:, None] - steps) / sigma) ** 2) / 2)
    blur: np.ndarray = weights / weights.sum(axis=1, keepdims=True)
    return blur
