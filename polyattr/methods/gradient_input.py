"""Gradient x Input."""

from __future__ import annotations

from dataclasses import dataclass

from polyattr.backend import GradBackend, Tensor
from polyattr.explainer import Explainer, Guide, Paper
from polyattr.sampling import Recipe


@dataclass(frozen=True)
class Product(Recipe):
    """The gradient at the input, times the input."""

    def finish(
        self, backend: GradBackend, statistic: Tensor, x: Tensor, baseline: Tensor | None
    ) -> Tensor:
        """Multiplies by the input."""
        return x * statistic


class GradientInput(Explainer):
    r"""Input times gradient, :math:`x_i \, \partial f / \partial x_i`, signed.

    Shrikumar, Greenside, Shcherbina & Kundaje, Not Just a Black Box (2016), arXiv 1605.01713.
    Shape: that of the inputs, (N, ...). Units: those of the score. Sums to f(x) on networks
    without biases whose activations are piecewise linear, where it equals Integrated Gradients
    from a zero baseline.

    Args:
        model: The model; this and the keyword arguments are those of `Explainer`.

    Raises:
        InputError: `batch_size` is below 1; all other errors are those of `Explainer`.

    Example:
        >>> import polyattr, tensorflow as tf
        >>> x = tf.constant([[1.0, 2.0, -3.0]])
        >>> polyattr.GradientInput(lambda x: tf.reduce_sum(x * x, axis=1)).explain(x).numpy()
        array([[ 2.,  8., 18.]], dtype=float32)
    """

    gist = "input times gradient"
    paper = Paper(
        "shrikumar2016just",
        "Shrikumar, Avanti and Greenside, Peyton and Shcherbina, Anna and Kundaje, Anshul",
        "Not Just a Black Box: Learning Important Features Through Propagating Activation "
        "Differences",
        2016,
        "1605.01713",
    )
    guide = Guide(
        equation="x_i * df/dx_i",
        cost="1 gradient per sample",
        when="signed shares at the price of a gradient; exact for linear models without "
        "a bias, and equal to Integrated Gradients from zeros on piecewise linear "
        "networks without biases",
        when_not="inputs whose zero means something, saturated scores, networks with biases: "
        "it does not sum to the score",
    )

    def recipe(self) -> Recipe:
        """Input times gradient."""
        return Product()
