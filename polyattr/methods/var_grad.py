"""VarGrad."""

from __future__ import annotations

from polyattr.accumulators import Accumulator, Variance
from polyattr.methods.noisy_gradient import NoisyGradient


class VarGrad(NoisyGradient):
    r"""Unbiased variance of the gradient over noisy copies, :math:`Var[\partial f / \partial x_i]`.

    Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim, Sanity Checks for Saliency Maps (2018),
    arXiv 1810.03292. Units: squared score per squared unit of the input. Never negative, and
    exactly 0 where the gradient is the same at every draw.
    """

    fewest_draws = 2

    @property
    def accumulator(self) -> Accumulator:
        """The variance."""
        return Variance()
