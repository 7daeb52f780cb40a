"""VarGrad."""

from __future__ import annotations

from polyattr.methods.noisy_gradient import NoisyGradient
from polyattr.sampling.statistics import Accumulator, Variance


class VarGrad(NoisyGradient):
    r"""Unbiased variance of the gradient over noisy copies, :math:`Var[\partial f / \partial x_i]`.

    Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim, Sanity Checks for Saliency Maps (2018),
    arXiv 1810.03292. Shape: that of the inputs, (N, ...). Units: squared score per squared unit
    of the input. Never negative, and exactly 0 where the gradient is the same at every draw. Takes
    the arguments of `SmoothGrad`, except `antithetic`.

    Raises:
        InputError: `nb_samples` is below 2; all other errors are those of `SmoothGrad`.

    Example:
        >>> import jax.numpy as jnp, polyattr
        >>> method = polyattr.VarGrad(lambda x: 3 * x[:, 0] + x[:, 1] ** 2)
        >>> method.explain(jnp.ones((1, 2)))[0, 0], method.attribute(jnp.ones((1, 2))).seed
        (Array(0., dtype=float32), 0)
    """

    fewest_draws = 2

    @property
    def accumulator(self) -> Accumulator:
        """The variance."""
        return Variance()
