"""Gradient x Input."""

from __future__ import annotations

from typing import Any, Unpack

from polyattr.backend import Tensor
from polyattr.explainer.explainer import Explainer
from polyattr.explainer.options import Common, Settings
from polyattr.sampling.points import Points


class GradientInput(Explainer):
    r"""Input times gradient, :math:`x_i \, \partial f / \partial x_i`, signed.

    Shrikumar, Greenside, Shcherbina & Kundaje, Not Just a Black Box (2016), arXiv 1605.01713.
    Shape: that of the inputs, (N, ...). Units: those of the score. Sums to f(x) on networks
    without biases whose activations are piecewise linear, where it equals Integrated Gradients
    from a zero baseline.

    Args:
        model: The model; this and the keyword arguments are those of `Explainer`.
        **common: See `Explainer`.

    Raises:
        InputError: `batch_size` is below 1; all other errors are those of `Explainer`.

    Example:
        >>> import polyattr, tensorflow as tf
        >>> x = tf.constant([[1.0, 2.0, -3.0]])
        >>> polyattr.GradientInput(lambda x: tf.reduce_sum(x * x, axis=1)).explain(x).numpy()
        array([[ 2.,  8., 18.]], dtype=float32)
    """

    def __init__(self, model: Any, **common: Unpack[Common]) -> None:
        super().__init__(model, Settings(), **common)

    @property
    def points(self) -> Points:
        """The input alone."""
        return Points()

    def value(self, statistic: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
        """Multiplies by the input."""
        return x * statistic
