"""SquareGrad."""

from __future__ import annotations

from polyattr.backend import Tensor
from polyattr.methods.noisy_gradient import NoisyGradient


class SquareGrad(NoisyGradient):
    r"""Mean squared gradient over noisy copies, :math:`E[(\partial f / \partial x_i (x + e))^2]`.

    Hooker, Erhan, Kindermans & Kim, A Benchmark for Interpretability Methods in Deep Neural
    Networks (2018), arXiv 1806.10758. Shape: that of the inputs, (N, ...). Units: squared score
    per squared unit of the input. Takes the arguments of `SmoothGrad`, except `antithetic`.

    Raises:
        InputError: `nb_samples` is below 1; all other errors are those of `SmoothGrad`.

    Example:
        >>> import polyattr, tensorflow as tf
        >>> method = polyattr.SquareGrad(lambda x: tf.reduce_sum(3.0 * x, axis=1))
        >>> method.explain(tf.ones((1, 2))).numpy().round(3)
        array([[9., 9.]], dtype=float32)
    """

    def contribution(self, gradient: Tensor) -> Tensor:
        """Squares the gradient."""
        return gradient * gradient
