"""What every domain is: a transform of samples, and the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from polyattr.backend import GradBackend, Tensor


@dataclass(frozen=True)
class Domain(ABC):
    r"""Other coordinates z of the same samples: :math:`x = T^{-1}(z)`, for `domain` of a method.

    A method then attributes to z: its gradients are those of :math:`f \circ T^{-1}`, its paths are
    straight in z, and the attributions of a path still sum to f(x) - f(b). A subclass has the two
    ways, with operators and the verbs of the backend; or with functions of your framework, if it is
    the only one it is used with. z may have other axes than x, but for the first, which counts
    samples.

    Example:
        >>> import polyattr, torch
        >>> class Logarithm(polyattr.domains.Domain):
        ...     def forward(self, backend, x):
        ...         return torch.log(x)
        ...     def inverse(self, backend, z):
        ...         return torch.exp(z)
        >>> method = polyattr.GradientInput(lambda x: x.sum(1), domain=Logarithm())
        >>> method.explain(torch.tensor([[1.0, 2.0]])).round(decimals=3)
        tensor([[0.0000, 1.3860]])
    """

    @abstractmethod
    def forward(self, backend: GradBackend, x: Tensor) -> Tensor:
        """Returns the coordinates (N, ...) of samples `x` (N, ...) with the verbs of `backend`."""

    @abstractmethod
    def inverse(self, backend: GradBackend, z: Tensor) -> Tensor:
        """Returns the samples (R, ...) that `z` (R, ...) are coordinates of, differentiable.

        `backend` supplies the verbs.
        """
