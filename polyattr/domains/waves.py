"""Domains of waves, long and short: the Fourier series and the Haar wavelets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.baselines.axes import check_axes
from polyattr.domains.linear import AlongAxes
from polyattr.errors import InputError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fourier(AlongAxes):
    """The real Fourier series along one or several axes, orthonormal: as many numbers as before.

    Along each axis come the mean, then cosine and sine of frequency 1, of frequency 2, and so on:
    ``frequencies(size)`` has the number of each. The sum of the attributions of a cosine and its
    sine does not depend on the phase: that is what the frequency adds to the score.

    Attributes:
        axes: Which axes of the inputs, counted with the first, which counts samples.

    Raises:
        InputError: The axis of samples, or, when it is used, one the inputs do not have.
        InputTypeError: No tuple of axes.

    Example:
        >>> import polyattr, torch
        >>> wave = torch.cos(torch.arange(8.0) * 3.1415927 / 2)[None]
        >>> method = polyattr.IntegratedGradients(
        ...     lambda x: (x**2).sum(1), domain=polyattr.domains.Fourier()
        ... )
        >>> polyattr.domains.Fourier.frequencies(8)[method.explain(wave).argmax()].item()
        2
    """

    axes: tuple[int, ...] = (-1,)

    def __post_init__(self) -> None:
        check_axes("axes", self.axes)

    @staticmethod
    def frequencies(size: int) -> Array:
        """Returns the frequency of each coordinate (F,) along an axis of `size` F, in whole cycles.

        Example:
            >>> import polyattr
            >>> polyattr.domains.Fourier.frequencies(5)
            array([0, 1, 1, 2, 2])
        """
        frequencies: Array = (np.arange(size) + 1) // 2
        return frequencies

    @property
    def _axes(self) -> tuple[int, ...]:
        return self.axes

    def _there(self, size: int) -> Array:
        frequency, place = self.frequencies(size), np.arange(size)
        # A sine is a cosine a quarter of a cycle later.
        angle = 2 * np.pi * np.outer(frequency, place) / size
        angle[2::2] -= np.pi / 2
        waves = np.cos(angle)
        there: Array = waves / np.linalg.norm(waves, axis=1, keepdims=True)
        return there


@dataclass(frozen=True)
class Haar(AlongAxes):
    """The Haar wavelet transform along one or several axes of sizes that are powers of 2.

    Along each axis come the mean, the coarsest difference, the next two, four and so on.

    Attributes:
        axes: Which axes of the inputs, counted with the first, which counts samples.

    Raises:
        InputError: The axis of samples; or, when it is used, an axis of another size.
        InputTypeError: No tuple of axes.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.GradientInput(lambda x: x[:, 0], domain=polyattr.domains.Haar())
        >>> method.explain(torch.tensor([[1.0, 0.0]])).round(decimals=3)
        tensor([[0.5000, 0.5000]])
    """

    axes: tuple[int, ...] = (-1,)

    def __post_init__(self) -> None:
        check_axes("axes", self.axes)

    @property
    def _axes(self) -> tuple[int, ...]:
        return self.axes

    def _there(self, size: int) -> Array:
        if size & (size - 1):
            raise InputError(
                f"Haar is used along an axis of size {size}; expected a power of 2: pad the "
                f"inputs, or give another wavelet's matrix to Linear"
            )
        there = np.ones((1, 1))
        while len(there) < size:
            coarse = np.kron(there, [1.0, 1.0])
            fine = np.kron(np.eye(len(there)), [1.0, -1.0])
            there = np.concatenate([coarse, fine]) / np.sqrt(2)
        return there
