"""SquareGrad."""

from __future__ import annotations

from dataclasses import dataclass

from polyattr.backend import GradBackend, Tensor
from polyattr.explainer import Guide, NoisyExplainer, Paper
from polyattr.sampling import Carry, NoisyCopies, Recipe, Rows


@dataclass(frozen=True)
class Squares(NoisyCopies):
    """The mean square over noisy copies."""

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """Squares the gradients."""
        return [gradient * gradient for gradient in gradients], carry


class SquareGrad(NoisyExplainer):
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

    signed = False
    gist = "mean square under noise"
    paper = Paper(
        "hooker2018benchmark",
        "Hooker, Sara and Erhan, Dumitru and Kindermans, Pieter-Jan and Kim, Been",
        "A Benchmark for Interpretability Methods in Deep Neural Networks",
        2018,
        "1806.10758",
    )
    guide = Guide(
        equation="mean over noise e of (df/dx_i(x + e))^2",
        cost="`nb_samples` gradients per sample, 50 unless given",
        when="ranking features: of the gradient maps it did best when the most important "
        "were removed and the model trained anew (Hooker 2018)",
        when_not="signs, and shares of the score: it is in squared units",
    )

    def recipe(self) -> Recipe:
        """The mean of the squares over noisy copies."""
        return Squares(**self._draws())
