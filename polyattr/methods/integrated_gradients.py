"""Integrated Gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from polyattr.errors import InputTypeError
from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.question.checks import (
    check_budget,
    check_called,
    check_chosen,
    check_count,
    check_flag,
    check_tolerance,
    count_of,
    plain_number,
)
from polyattr.sampling import (
    DEFAULT_TOLERANCE,
    FEWEST_FOR_GAP,
    FEWEST_NODES,
    ExactNodes,
    OwnPath,
    OwnPathIntegral,
    PathIntegral,
    Recipe,
    StraightPath,
    path_nodes,
)


def _check_path(name: str, path: Any) -> Any:
    """Checks for None or something to call with three arguments.

    Raises:
        InputTypeError: Neither.
    """
    if path is None:
        return None
    if not callable(path):
        raise InputTypeError(f"{name} is {path!r}; expected a callable path(x, b, alpha)")
    check_called(name, path, "path(x, b, alpha)", "three arguments")
    return path


class IntegratedGradients(Explainer):
    r"""Gradient integrated along the straight path from a baseline to the input.

    .. math:: (x_i - b_i) \int_0^1 \frac{\partial f}{\partial x_i}(b + \alpha (x - b)) \, d\alpha

    Sundararajan, Taly & Yan, Axiomatic Attribution for Deep Networks (2017), arXiv 1703.01365.
    Shape: that of the inputs, (N, ...). Units: those of the score. The attributions of a sample
    sum to f(x) - f(b); by how much they miss it is `Attribution.completeness_gap`. The gradient at
    b itself, where a ReLU may sit on its kink, is taken a hundredth of the first interval inside.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        steps: Points on the path, both ends included for rules that visit them; or "auto": as many
            as each sample needs, in rounds, until its error is within `tolerance`: where the
            gradient jumps, as in ReLU networks, intervals are bisected; where it is smooth, a rule
            of high order takes over.
        baseline_value: Where the path starts, in the units of the inputs: a scalar, an array in the
            shape of one sample or of all, (N, ...), or a callable on the inputs; (N, K, ...) are K
            baselines per sample, whose attributions are averaged. `baselines=` of a call overrides
            it.
        rule: "left", "right", "midpoint", "trapezoid", "simpson", "gauss-legendre" or
            "clenshaw-curtis"; or "exact" for networks that are piecewise linear, as with ReLU,
            leaky ReLU, max-pooling and hard activations: their kinks on the path are found, and the
            map is right to rounding, with a few points for each kink, `max_steps` at most, whatever
            `steps` is. Smooth networks are refused.
        tolerance: Relative error above which a `ConvergenceWarning` is given, 0.05 unless given.
            With ``steps="auto"`` the error to stop at, 0.01 unless given.
        max_steps: Most points per sample with ``steps="auto"`` or ``rule="exact"``.
        budget_ms: Milliseconds a call, or a batch of a dataset, may take with ``steps="auto"``: no
            round begins that would end later, by the speed of the last one. What error that left
            `Attribution.error` says; how many points there were `Attribution.evaluations`, which as
            `max_steps` of a method without a budget give the sample's map again on any machine.
        converge_on: What has to be within the tolerance with ``steps="auto"``: "map", its expected
            L1 error relative to its L1 norm, or "gap", what the sum of the map misses of f(x) -
            f(b), relative to that; the gap takes fewer points, and says little about features.
        multiply_by_inputs: False leaves out the factor (x - b): the mean gradient on the path.
        path: Another path than the straight one: ``path(x, b, alpha)`` is called for each input and
            returns points (R, ...) in its framework. ``x`` and ``b``, (R, ...) each, are samples
            and their baselines, ``alpha``, (R, 1, ...), is where on the path: at 0 it has to
            return ``b``, at 1 ``x``. The factor is then the derivative of the path by alpha, found
            by automatic differentiation.

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
    max_steps: int = setting(default=1024, check=count_of(FEWEST_FOR_GAP))
    path: Callable[[Any, Any, Any], Any] | None = setting(default=None, check=_check_path)
    converge_on: Literal["map", "gap"] = "map"
    budget_ms: float | None = setting(default=None, check=check_budget)

    gist = "gradient along a path"
    paper = Paper(
        "sundararajan2017axiomatic",
        "Sundararajan, Mukund and Taly, Ankur and Yan, Qiqi",
        "Axiomatic Attribution for Deep Networks",
        2017,
        "1703.01365",
    )
    guide = Guide(
        equation="(x_i - b_i) * integral over a in [0, 1] of df/dx_i(b + a * (x - b))",
        cost="`steps` gradients per sample, 50 unless given; as many as each needs with "
        'steps="auto"',
        when="shares of f(x) - f(b) that sum to it, with an error stated for each feature",
        when_not="inputs without a baseline that means absence; a feature that is at its "
        "baseline gets nothing",
    )

    def check(self) -> None:
        """Has a tolerance that points are chosen for be the one that maps are judged by.

        Raises:
            InputError: `max_steps` are fewer than are looked at first, or `budget_ms` is given
                where their number is fixed.
        """
        if isinstance(self.steps, str) and self.steps == "auto" and self.tolerance is None:
            self._keep(tolerance=DEFAULT_TOLERANCE)
        check_chosen(self.budget_ms, "steps", self.rule if self._exact else self.steps)
        on_gap = isinstance(self.converge_on, str) and self.converge_on == "gap"
        least = FEWEST_FOR_GAP if on_gap else FEWEST_NODES
        if self._exact:
            least = ExactNodes.fewest  # it looks at more points before it chooses any
        check_count("max_steps", self.max_steps, least)

    @property
    def _exact(self) -> bool:
        return isinstance(self.rule, str) and self.rule == "exact"

    def recipe(self) -> Recipe:
        """The gradient integrated along the path, or its mean there."""
        nodes = path_nodes(self.steps, self.rule, self.max_steps, self.tolerance, self.converge_on)
        if self.path is not None:
            own = OwnPathIntegral if self.multiply_by_inputs else OwnPath
            return own(nodes=nodes, path=self.path)
        return PathIntegral(nodes=nodes) if self.multiply_by_inputs else StraightPath(nodes=nodes)
