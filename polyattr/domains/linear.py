"""Domains that are a matrix along an axis."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.baselines.axes import axes_of, check_axes
from polyattr.domains.domain import Domain
from polyattr.errors import InputError, InputTypeError

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class AlongAxes(Domain):
    """A matrix for each axis, by its size."""

    @property
    @abstractmethod
    def _axes(self) -> tuple[int, ...]: ...

    @abstractmethod
    def _there(self, size: int) -> Array:
        """Returns the matrix from samples to coordinates (P, size)."""

    def _back(self, size: int) -> Array:
        """Returns the matrix from coordinates to samples; by default of an orthogonal one."""
        back: Array = self._there(size).T
        return back

    def forward(self, backend: GradBackend, x: Tensor) -> Tensor:
        """Multiplies each axis with its matrix."""
        z = backend.cast(x, backend.accumulator_dtype(x))
        for axis in axes_of("axes", self._axes, len(x.shape)):
            z = backend.along(z, self._there(int(x.shape[axis])), axis)
        return backend.cast(z, backend.dtype(x))

    def inverse(self, backend: GradBackend, z: Tensor) -> Tensor:
        """Multiplies each axis with the matrix of the way back."""
        x = backend.cast(z, backend.accumulator_dtype(z))
        for axis in axes_of("axes", self._axes, len(z.shape)):
            x = backend.along(x, self._back(int(z.shape[axis])), axis)
        return backend.cast(x, backend.dtype(z))


@dataclass(frozen=True)
class Linear(AlongAxes):
    """A matrix of yours along an axis: a wavelet transform, a basis, a whitening.

    Attributes:
        matrix: (P, Q) from Q numbers along the axis to P coordinates.
        back: (Q, P) from coordinates to numbers; None for the inverse of a square `matrix`.
        axis: Which axis of the inputs, counted with the first, which counts samples.

    Raises:
        InputError: Shapes that do not fit each other, or `back` does not lead back.
        InputTypeError: No matrices.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> sum_and_difference = polyattr.domains.Linear(np.array([[1.0, 1.0], [1.0, -1.0]]))
        >>> method = polyattr.GradientInput(lambda x: x.sum(1), domain=sum_and_difference)
        >>> method.explain(torch.tensor([[2.0, 1.0]]))
        tensor([[3., 0.]])
    """

    matrix: Any = field(repr=False)
    back: Any = field(default=None, repr=False)
    axis: int = -1

    def __post_init__(self) -> None:
        check_axes("axis", (self.axis,))
        there = matrix_of("matrix", self.matrix)
        if self.back is None and there.shape[0] != there.shape[1]:
            raise InputError(
                f"matrix has shape {there.shape} and back is None; expected a square matrix, or "
                f"back of shape {there.shape[::-1]}"
            )
        try:
            back = np.linalg.inv(there) if self.back is None else matrix_of("back", self.back)
        except np.linalg.LinAlgError:
            raise InputError("matrix has no inverse; expected one, or back") from None
        if back.shape != there.shape[::-1] or not np.allclose(back @ there, np.eye(len(back))):
            raise InputError(
                f"back, of shape {back.shape}, does not lead back from matrix, of shape "
                f"{there.shape}; expected back @ matrix to be the identity"
            )
        # Copies of its own, so that what is compiled stays what was said.
        object.__setattr__(self, "matrix", own_copy(there))
        object.__setattr__(self, "back", own_copy(back))

    @property
    def _axes(self) -> tuple[int, ...]:
        return (self.axis,)

    def _there(self, size: int) -> Array:
        check_size("matrix", self.matrix, size)
        there: Array = self.matrix
        return there

    def _back(self, size: int) -> Array:
        check_size("back", self.back, size)
        back: Array = self.back
        return back


def matrix_of(name: str, value: Any) -> Array:
    """Reads a matrix.

    Raises:
        InputTypeError: No array of numbers.
        InputError: Not two axes, or not finite.
    """
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputTypeError(
            f"{name} is a {type(value).__name__}; expected a matrix, as a NumPy array"
        ) from None
    if array.ndim != 2 or 0 in array.shape or not np.isfinite(array).all():
        raise InputError(f"{name} has shape {array.shape}; expected a matrix of finite numbers")
    return array


def own_copy(array: Array) -> Array:
    """Returns a read-only copy of an `array` (...)."""
    own = array.copy()
    own.setflags(write=False)
    return own


def check_size(name: str, matrix: Array, size: int) -> None:
    """Checks that a `matrix` (P, Q) takes `size` numbers.

    Raises:
        InputError: It takes others.
    """
    if matrix.shape[1] != size:
        raise InputError(
            f"{name} has shape {matrix.shape}, and the inputs have {size} numbers there; expected "
            f"{name} of shape ({matrix.shape[0]}, {size})"
        )
