"""A path of the user's own, given by its points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import InputError
from polyattr.sampling.recipe import Array, Spot
from polyattr.sampling.rows import Rows
from polyattr.sampling.straight_path import PathIntegral, StraightPath


@dataclass(frozen=True)
class OwnPath(StraightPath):
    """The mean gradient on a path given by a function; its velocity is differentiated.

    Takes the arguments of `StraightPath` too.

    Attributes:
        path: ``path(x, b, alpha)`` returns the points (R, ...) of rows; see `IntegratedGradients`.

    Example:
        >>> from polyattr.sampling import OwnPath
        >>> OwnPath(path=lambda x, b, alpha: b + alpha**2 * (x - b)).parts
        1
    """

    path: Callable[..., Any] = field(default_factory=lambda: _straight)

    @property
    def called(self) -> tuple[Callable[..., Any], ...]:
        """The path."""
        return (self.path,)

    def at_input(self, rows: Rows[Array]) -> Array:
        """None of them: the end of the path is the input but for rounding."""
        return np.zeros(len(rows), dtype=bool)

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """Asks the path for the points, and differentiates it by alpha.

        Backends differentiate numbers, not points. The velocity is the derivative by u of the
        derivative by alpha of path . u, for any u.
        """
        wide = backend.accumulator_dtype(at.x)
        x = backend.cast(at.x, wide)
        b = x * 0 + backend.cast(at.baseline, wide)
        alpha = backend.cast(self._taken(backend, at), wide)

        def points(alphas: Tensor) -> Tensor:
            found: Tensor = self.path(x, b, backend.column(alphas, x))
            _check_points(found, x, backend)
            return found

        def speed(directions: list[Tensor]) -> Tensor:
            (direction,) = directions
            (rate,) = backend.differentiable_grad(
                lambda alphas: backend.row_sums(points(alphas[0]) * direction), [alpha]
            )[1]
            return alpha * 0 if rate is None else rate

        velocity = at.grad(speed, [x * 0 + 1.0])[1][0]
        still = x * 0 if velocity is None else velocity
        return backend.cast(points(alpha), backend.dtype(at.x)), still

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the fraction of the path."""
        alpha: Any = rows.alpha
        return f"at alpha = {alpha[row]:.4g} of the path"


@dataclass(frozen=True)
class OwnPathIntegral(OwnPath, PathIntegral):
    """The integral of the gradient along a path given by a function.

    Takes the arguments of `OwnPath`.

    Example:
        >>> from polyattr.sampling import OwnPathIntegral
        >>> OwnPathIntegral().complete
        True
    """


def _straight(x: Tensor, b: Tensor, alpha: Tensor) -> Tensor:
    return b + alpha * (x - b)


def _check_points(points: Any, like: Tensor, backend: GradBackend) -> None:
    """Checks what a path returned.

    Raises:
        InputError: No tensor of the framework, or none in the shape of the rows (R, ...).
    """
    if not backend.is_tensor(points):
        raise InputError(
            f"path returned a {type(points).__name__}; expected the points of the path, a tensor "
            f"in the shape of its x"
        )
    if tuple(points.shape) != tuple(like.shape):
        raise InputError(
            f"path returned points of shape {tuple(points.shape)} for x of shape "
            f"{tuple(like.shape)}; expected one point for each row of x, with alpha as it is given,"
            f" {(like.shape[0],) + (1,) * (len(like.shape) - 1)}, between b and x"
        )
