"""Integrated Gradients."""

from __future__ import annotations

from typing import Any, Literal

from polyattr.explainer import Explainer, Paper, setting
from polyattr.question.checks import check_flag, check_tolerance, count_of, plain_number
from polyattr.sampling import FEWEST_NODES, PathIntegral, Recipe, StraightPath, path_nodes


class IntegratedGradients(Explainer):
    r"""Gradient integrated along the straight path from a baseline to the input.

    .. math:: (x_i - b_i) \int_0^1 \frac{\partial f}{\partial x_i}(b + \alpha (x - b)) \, d\alpha

    Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (2017), arXiv 1703.01365.
    Shape: that of the inputs, (N, ...). Units: those of the score. The attributions of a sample
    sum to f(x) - f(b); by how much they miss it is `Attribution.completeness_gap`. The gradient at
    b itself, where a ReLU may sit on its kink, is taken a hundredth of the first interval inside.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        steps: Points on the path, both ends included for rules that visit them; or "auto": nested
            trapezoids, twice as many points in each round, and a sample is done when its map
            changes by less than `tolerance`.
        baseline_value: Where the path starts, in the units of the inputs: a scalar, an array in the
            shape of one sample or of all, (N, ...), or a callable on the inputs; (N, K, ...) are K
            baselines per sample, whose attributions are averaged. `baselines=` of a call overrides
            it.
        rule: "left", "right", "midpoint", "trapezoid", "simpson", "gauss-legendre" or
            "clenshaw-curtis".
        tolerance: Relative error above which a `ConvergenceWarning` is given. With None,
            `Attribution.converged` holds up to 0.05, and `explain`, which returns no facts, warns
            from 0.1 where the points of the path tell of it for free. With
            ``steps="auto"`` the relative change of the map to stop at, 0.01 unless given.
        max_steps: Most points per sample with ``steps="auto"``.
        multiply_by_inputs: False leaves out the factor (x - b): the mean gradient on the path.

    Raises:
        InputError: `rule` is unknown, `steps` are fewer than it needs, or `tolerance` is negative;
            all other errors are those of `Explainer`.

    Example:
        >>> import jax.numpy as jnp, polyattr
        >>> method = polyattr.IntegratedGradients(lambda x: (x**3).sum(axis=1), rule="simpson")
        >>> method.explain(jnp.array([[1.0, 2.0]])).round(3)
        Array([[1., 8.]], dtype=float32)
    """

    steps: int | Literal["auto"] = setting(default=50, check=plain_number)
    baseline_value: Any = 0.0
    rule: str = "trapezoid"
    tolerance: float | None = setting(default=None, check=check_tolerance)
    multiply_by_inputs: bool = setting(default=True, check=check_flag)
    max_steps: int = setting(default=1024, check=count_of(FEWEST_NODES))

    gist = "gradient along a path"
    paper = Paper(
        "sundararajan2017axiomatic",
        "Sundararajan, Mukund and Taly, Ankur and Yan, Qiqi",
        "Axiomatic Attribution for Deep Networks",
        2017,
        "1703.01365",
    )

    def recipe(self) -> Recipe:
        """The gradient integrated along the path, or its mean there."""
        nodes = path_nodes(self.steps, self.rule, self.max_steps, self.tolerance)
        return PathIntegral(nodes=nodes) if self.multiply_by_inputs else StraightPath(nodes=nodes)
