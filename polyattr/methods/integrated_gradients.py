"""Integrated Gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Unpack

from polyattr.backend import Tensor
from polyattr.explainer.explainer import Explainer
from polyattr.explainer.options import Common, Settings
from polyattr.question.checks import check_flag, check_non_negative
from polyattr.sampling.points import Points, StraightPath
from polyattr.sampling.quadrature import check_rule


@dataclass(frozen=True)
class PathSettings(Settings):
    """Arguments of `IntegratedGradients`."""

    steps: int
    baseline_value: Any
    rule: str
    tolerance: float | None
    multiply_by_inputs: bool

    def __post_init__(self) -> None:
        if self.tolerance is not None:
            check_non_negative("tolerance", self.tolerance)


class IntegratedGradients(Explainer):
    r"""Gradient integrated along the straight path from a baseline to the input.

    .. math:: (x_i - b_i) \int_0^1 \frac{\partial f}{\partial x_i}(b + \alpha (x - b)) \, d\alpha

    Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (2017), arXiv 1703.01365.
    Shape: that of the inputs, (N, ...). Units: those of the score. The attributions of a sample
    sum to f(x) - f(b); by how much they miss it is `Attribution.completeness_gap`.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        steps: Points on the path, both ends included for rules that visit them.
        baseline_value: Where the path starts, in the units of the inputs: a scalar, an array in the
            shape of one sample or of all, (N, ...), or a callable on the inputs; `baselines=` of a
            call overrides it.
        rule: "left", "right", "midpoint", "trapezoid", "simpson", "gauss-legendre" or
            "clenshaw-curtis".
        tolerance: Relative error above which a `ConvergenceWarning` is given; None gives none and
            lets `Attribution.converged` hold up to 0.05.
        multiply_by_inputs: False leaves out the factor (x - b): the mean gradient on the path.
        **common: See `Explainer`.

    Raises:
        InputError: `rule` is unknown, `steps` are fewer than it needs, or `tolerance` is negative;
            all other errors are those of `Explainer`.

    Example:
        >>> import jax.numpy as jnp, polyattr
        >>> method = polyattr.IntegratedGradients(lambda x: (x**3).sum(axis=1), rule="simpson")
        >>> method.explain(jnp.array([[1.0, 2.0]])).round(3)
        Array([[1., 8.]], dtype=float32)
    """

    uses_baselines = True
    settings: PathSettings

    def __init__(
        self,
        model: Any,
        *,
        steps: int = 50,
        baseline_value: Any = 0.0,
        rule: str = "trapezoid",
        tolerance: float | None = None,
        multiply_by_inputs: bool = True,
        **common: Unpack[Common],
    ) -> None:
        points = check_rule(rule, steps)
        settings = PathSettings(
            points,
            baseline_value,
            rule,
            tolerance,
            check_flag("multiply_by_inputs", multiply_by_inputs),
        )
        super().__init__(model, settings, **common)

    @property
    def points(self) -> Points:
        """The nodes of the rule on the path."""
        return StraightPath(self.settings.steps, rule=self.settings.rule)

    @property
    def baseline_value(self) -> Any:
        """Where the path starts."""
        return self.settings.baseline_value

    @property
    def tolerance(self) -> float | None:
        """The relative error that was asked for."""
        return self.settings.tolerance

    @property
    def is_complete(self) -> bool:
        """Completeness holds for the product with (x - b) only."""
        return self.settings.multiply_by_inputs

    def value(self, statistic: Tensor, x: Tensor, baseline: Tensor) -> Tensor:
        """Multiplies the mean gradient by the difference to the baseline."""
        return (x - baseline) * statistic if self.settings.multiply_by_inputs else statistic
