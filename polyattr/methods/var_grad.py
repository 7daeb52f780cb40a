"""VarGrad."""

from __future__ import annotations

from polyattr.explainer import Guide, NoisyExplainer, Paper
from polyattr.sampling import NoisyCopies, Recipe, Variance


class VarGrad(NoisyExplainer):
    r"""Unbiased variance of the gradient over noisy copies, :math:`Var[\partial f / \partial x_i]`.

    Adebayo, Gilmer, Muelly, Goodfellow, Hardt & Kim, Sanity Checks for Saliency Maps (2018),
    arXiv 1810.03292. Shape: that of the inputs, (N, ...). Units: squared score per squared unit
    of the input. Never negative, 0 without noise, and 0 to rounding where the gradient is the same
    at every draw. Takes the arguments of `SmoothGrad`, except `antithetic`.

    Raises:
        InputError: `nb_samples` is below 2; all other errors are those of `SmoothGrad`.

    Example:
        >>> import jax.numpy as jnp, polyattr
        >>> method = polyattr.VarGrad(lambda x: 3 * x[:, 0] + x[:, 1] ** 2)
        >>> method.explain(jnp.ones((1, 2)))[0, 0], method.attribute(jnp.ones((1, 2))).seed
        (Array(0., dtype=float32), 0)
    """

    fewest_draws = 2

    signed = False
    gist = "variance under noise"
    paper = Paper(
        "adebayo2018sanity",
        "Adebayo, Julius and Gilmer, Justin and Muelly, Michael and Goodfellow, Ian and Hardt, "
        "Moritz and Kim, Been",
        "Sanity Checks for Saliency Maps",
        2018,
        "1810.03292",
    )
    guide = Guide(
        equation="variance over noise e of df/dx_i(x + e)",
        cost="`nb_samples` gradients per sample, 50 unless given",
        when="where the model bends: what a constant gradient, however large, does not show",
        when_not="linear models, of which it is 0, signs, and shares of the score; 50 draws "
        "leave 15 to 27 % of error",
    )

    def recipe(self) -> Recipe:
        """The variance over noisy copies."""
        return NoisyCopies(statistic=Variance(), least=self.fewest_draws, **self._draws())
