"""SquareGrad."""

from __future__ import annotations

from polyattr.backend import Tensor
from polyattr.methods.noisy_gradient import NoisyGradient


class SquareGrad(NoisyGradient):
    r"""Mean squared gradient over noisy copies, :math:`E[(\partial f / \partial x_i (x + e))^2]`.

    Hooker, Erhan, Kindermans & Kim, A Benchmark for Interpretability Methods in Deep Neural
    Networks (2018), arXiv 1806.10758. Units: squared score per squared unit of the input.
    """

    def contribution(self, gradient: Tensor) -> Tensor:
        """Squares the gradient."""
        return gradient * gradient
