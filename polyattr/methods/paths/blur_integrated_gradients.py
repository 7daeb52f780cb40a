"""Blur Integrated Gradients."""

from __future__ import annotations

from typing import Any

from polyattr.baselines.axes import check_axes
from polyattr.errors import InputError
from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.question.checks import check_positive, check_tolerance, plain_number
from polyattr.sampling import BlurPath, FixedNodes, Recipe, check_rule


def _check_axes(name: str, axes: Any) -> Any:
    """Checks for None or a tuple of axes.

    Raises:
        InputTypeError: Something else.
        InputError: The axis of samples among them.
    """
    if axes is not None:
        check_axes(name, axes)
    return axes


class BlurIntegratedGradients(Explainer):
    r"""Gradient integrated along the path from a blurred picture to the sharp one.

    .. math::
        \int_{\sigma_{max}}^{0} \frac{\partial f}{\partial z_i}(z(\sigma))
        \frac{\partial z_i}{\partial \sigma} \, d\sigma, \quad z(\sigma) = G_\sigma * x

    Xu, Venugopalan & Sundararajan, Attribution in Scale and Space (2020), arXiv 2004.03383.
    Shape: that of the inputs, (N, ...). Units: those of the score. There is no baseline to choose:
    the path starts from the input itself under a Gaussian blur, with mirrored borders, and no point
    of it shows what the input does not. The attributions of a sample sum to f(x) - f(z(max_sigma)),
    which is `Attribution.baseline_scores`, up to `Attribution.completeness_gap`. Points are even in
    the logarithm of the scale, above half a pixel: the integral does not depend on it, and few
    points are enough. A constant picture has no attributions.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        steps: Points on the path, both ends included for rules that visit them.
        max_sigma: Standard deviation of the largest blur, in pixels, or whatever the axes count.
        axes: The axes of space or time that are blurred, counted with that of samples: (2, 3) for
            (N, C, H, W). None finds them: the only one of (N, width), both of (N, H, W), and of
            four axes all but that of samples and that of 1, 3 or 4 channels, on either end.
        rule: As for `IntegratedGradients`.
        tolerance: Relative error above which a `ConvergenceWarning` is given; None gives none and
            lets `Attribution.converged` hold up to 0.05.

    Raises:
        InputError: `rule` is unknown, `steps` are fewer than it needs, `max_sigma` is not above 0,
            `tolerance` negative, or there is a `domain`, whose coordinates are no pixels; in a
            call, axes that the inputs do not have, or that cannot be told; all other errors are
            those of `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.BlurIntegratedGradients(lambda x: x[:, 0], max_sigma=100.0)
        >>> method.explain(torch.tensor([[3.0, 0.0, 0.0]])).round(decimals=2)
        tensor([[2., 0., 0.]])
    """

    steps: int = setting(default=50, check=plain_number)
    max_sigma: float = setting(default=50.0, check=check_positive)
    axes: tuple[int, ...] | None = setting(default=None, check=_check_axes)
    rule: str = "trapezoid"
    tolerance: float | None = setting(default=None, check=check_tolerance)

    gist = "gradient from blur to sharp"
    paper = Paper(
        "xu2020attribution",
        "Xu, Shawn and Venugopalan, Subhashini and Sundararajan, Mukund",
        "Attribution in Scale and Space",
        2020,
        "2004.03383",
    )
    guide = Guide(
        equation="integral over blur s from s_max to 0 of df/dz_i(z(s)) * dz_i/ds, z(s) = x "
        "blurred by s",
        cost="`steps` gradients per sample",
        when="pictures, series and sounds, without a baseline to choose; it tells at "
        "which scale something is seen",
        when_not="tables and one-hot inputs, where neighbours mean nothing; constant regions "
        "get nothing",
    )

    def check(self) -> None:
        """Checks the rule, and that pixels are pixels.

        Raises:
            InputError: The rule is unknown or needs more steps, or there is a domain.
        """
        check_rule(self.rule, self.steps)
        if self.domain is not None:
            raise InputError(
                f"domain is {self.domain!r}; expected None: a blur is one of pixels, not of the "
                f"coordinates of a domain"
            )

    def recipe(self) -> Recipe:
        """The integral along the blur path."""
        nodes = FixedNodes(self.steps, self.rule)
        return BlurPath(nodes=nodes, max_sigma=float(self.max_sigma), axes=self.axes)
