"""The domain of components of whole samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.domains.domain import Domain
from polyattr.domains.linear import check_size, matrix_of, own_copy
from polyattr.errors import InputError


@dataclass(frozen=True)
class Components(Domain):
    """Components of whole samples, as PCA and ICA find them, and what they leave out.

    What no component reaches has coordinates of its own in an orthonormal basis: there are as many
    coordinates as features, the K components first. They come in the shape of the inputs, counted
    through the sample.

    Attributes:
        components: (K, F) for F features of a sample, independent: ``components_`` of PCA in
            scikit-learn, of its FastICA the transpose of ``mixing_``.
        mean: (F,) what is taken off before; None for nothing.

    Raises:
        InputError: Shapes that do not fit, or components that depend on each other.
        InputTypeError: No arrays of numbers.

    Example:
        >>> import numpy as np, polyattr, torch
        >>> parts = polyattr.domains.Components(np.array([[0.6, 0.8]]))
        >>> method = polyattr.GradientInput(lambda x: x.sum(1), domain=parts)
        >>> method.explain(torch.tensor([[3.0, 4.0]])).shape
        torch.Size([1, 2])
    """

    components: Any = field(repr=False)
    mean: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        parts = matrix_of("components", self.components)
        rank = int(np.linalg.matrix_rank(parts))
        if rank < len(parts):
            raise InputError(
                f"components has {len(parts)} rows, of which {rank} are independent; expected all"
            )
        mean = np.zeros(parts.shape[1]) if self.mean is None else np.asarray(self.mean, np.float64)
        if mean.shape != parts.shape[1:]:
            raise InputError(f"mean has shape {mean.shape}; expected {parts.shape[1:]}")
        # The rows of V behind the first K are an orthonormal basis of what these leave out.
        rest = np.linalg.svd(parts, full_matrices=True)[2][len(parts) :]
        basis = np.concatenate([parts, rest])
        for name, array in (("components", parts), ("mean", mean)):
            object.__setattr__(self, name, own_copy(array))
        object.__setattr__(self, "_basis", own_copy(basis))
        object.__setattr__(self, "_inverse", own_copy(np.linalg.inv(basis)))

    def forward(self, backend: GradBackend, x: Tensor) -> Tensor:
        """Coordinates z such that x = mean + z @ basis, through the sample."""
        wide = backend.accumulator_dtype(x)
        flat = backend.cast(backend.reshape(x, (x.shape[0], -1)), wide)
        check_size("components", self.components, int(flat.shape[1]))
        flat = flat - backend.to_native(self.mean[None], x, wide)
        z = backend.along(flat, vars(self)["_inverse"].T, 1)
        return backend.reshape(backend.cast(z, backend.dtype(x)), tuple(x.shape))

    def inverse(self, backend: GradBackend, z: Tensor) -> Tensor:
        """The samples (R, ...)."""
        wide = backend.accumulator_dtype(z)
        flat = backend.cast(backend.reshape(z, (z.shape[0], -1)), wide)
        flat = backend.along(flat, vars(self)["_basis"].T, 1)
        flat = flat + backend.to_native(self.mean[None], z, wide)
        return backend.reshape(backend.cast(flat, backend.dtype(z)), tuple(z.shape))
