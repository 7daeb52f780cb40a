"""The path from a blurred picture to the sharp one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import space_axes
from polyattr.sampling.recipe import Array, Spot
from polyattr.sampling.rows import Rows
from polyattr.sampling.straight_path import PathIntegral

_LINEAR = 0.5
"""Scale, in pixels, above which steps are even in its logarithm, since pictures have about as much
to show in every octave; below it they are even in the scale, which ends at 0."""


@dataclass(frozen=True)
class BlurPath(PathIntegral):
    """Less and less of a Gaussian blur, from the largest scale to none.

    Takes the arguments of `PathIntegral` too. A picture is taken apart into cosine waves along each
    axis, which a blur makes smaller by a factor each; beyond the border it goes on as its mirror
    image. Waves and factors are planned on the host.

    Attributes:
        max_sigma: The largest scale, in pixels.
        axes: Those that are blurred, or None to find them.

    Example:
        >>> from polyattr.sampling import BlurPath
        >>> BlurPath(max_sigma=10.0).origin
        'input'
    """

    origin: ClassVar[str | None] = "input"
    max_sigma: float = 50.0
    axes: tuple[int, ...] | None = None

    def begin(self, backend: GradBackend, x: Tensor) -> Tensor:
        """The picture under the largest blur."""
        time = backend.to_native(np.full(1, self.max_sigma**2 / 2), x, backend.accumulator_dtype(x))
        blurred = self._blurred(backend, x, time)[0]
        return backend.cast(blurred, backend.dtype(x))

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """The picture at the scale of the row, and what the scale changes about it.

        Half of the squared scale is the time t that heat spreads for: a wave of frequency w then
        has a factor of exp(-t w^2).
        """
        wide = backend.accumulator_dtype(at.x)
        alpha = backend.cast(self._taken(backend, at), wide)
        whole = self.max_sigma / _LINEAR + 1
        base = backend.to_native(np.full(1, whole), at.x, wide)
        grown = base ** (1 - alpha) * _LINEAR
        sigma = grown - _LINEAR
        blurred, change = self._blurred(backend, at.x, sigma * sigma * 0.5)
        pace = backend.column(sigma * grown * math.log(whole), at.x)
        return backend.cast(blurred, backend.dtype(at.x)), change * pace

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the scale."""
        alpha: Any = rows.alpha
        sigma = _LINEAR * ((self.max_sigma / _LINEAR + 1) ** (1 - alpha[row]) - 1)
        return f"at a blur of {sigma:.4g} pixels"

    def _blurred(self, backend: GradBackend, x: Tensor, time: Tensor) -> tuple[Tensor, Tensor]:
        """Returns what heat makes of `x` (R, ...) in a `time` (R,), and its loss in unit time."""
        wide, shape = backend.accumulator_dtype(x), tuple(int(size) for size in x.shape)
        given = (1, 2) if self.axes is None and len(shape) == 3 else self.axes
        axes = space_axes("BlurIntegratedGradients", given, shape)
        sharp = backend.cast(x, wide)
        waves: Tensor = sharp
        passed: Any = 1.0
        squared: Any = 0.0
        for axis in axes:
            waves = backend.along(waves, _cosines(shape[axis]), axis)
            frequency = np.pi * np.arange(shape[axis]) / shape[axis]
            squares = frequency.reshape([-1 if i == axis else 1 for i in range(len(shape))]) ** 2
            factor = backend.to_native(np.exp(-squares), x, wide)
            passed = passed * factor ** backend.column(time, x)
            squared = squared + backend.to_native(squares, x, wide)
        lost, change = waves * (1 - passed), waves * passed * squared
        for axis in axes:
            back = _cosines(shape[axis]).T
            lost, change = (backend.along(part, back, axis) for part in (lost, change))
        # What is lost is taken off: where nothing is, the picture stays as it is to the bit.
        return sharp - lost, change


def _cosines(size: int) -> Array:
    """Returns the orthonormal matrix (size, size) whose rows are cosine waves, slow ones first."""
    steps = np.arange(size)
    waves = np.cos(np.pi / size * steps[:, None] * (steps + 0.5)) * np.sqrt(2 / size)
    waves[0] = np.sqrt(1 / size)
    return np.asarray(waves)
