"""Expected Gradients."""

from __future__ import annotations

from typing import Any, Literal

from polyattr.errors import InputTypeError
from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.question.checks import check_budget, check_chosen, check_tolerance, count_of
from polyattr.sampling import RandomBaselines, Recipe
from polyattr.sampling.drawing.enough import MOST_DRAWS, check_draws


class ExpectedGradients(Explainer):
    r"""Integrated Gradients averaged over baselines drawn from background data.

    .. math:: E_{b, \alpha}[(x_i - b_i) \frac{\partial f}{\partial x_i}(b + \alpha (x - b))]

    Erion, Janizek, Sturmfels, Lundberg & Lee, Improving Performance of Deep Learning Models with
    Axiomatic Attribution Priors and Expected Gradients (2019), arXiv 1906.10670. Shape: that of the
    inputs, (N, ...). Units: those of the score. The attributions of a sample sum to f(x) minus the
    mean of f over the background, `Attribution.base_values`, up to the sampling error that
    `Attribution.error` states for the map. With one background row it is Integrated Gradients from
    there.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        background: Data (B, ...) like the inputs, in the same containers, to draw baselines from;
            for several inputs a row is drawn from all together. With `input_layer`, inputs go
            through the layer first; activations are taken as they are.
        nb_samples: Gradients per sample: each at one point, whose alpha has its own stratum, of the
            path from one background row. The draws are the same for all samples. Or "auto": rounds
            of draws, and a sample is done when the relative error of its map, `Attribution.error`,
            is within `tolerance`.
        seed: Seed of the draws.
        tolerance: Relative error above which a `ConvergenceWarning` is given; with
            ``nb_samples="auto"`` the one to stop at, 0.05 unless given. With a number and None,
            `attribute`, which knows it for free, warns above 0.05, and `explain` does not look: 50
            gradients usually leave 0.1 to 0.2. Where the number is not far below that of background
            rows, or above it, the stated error is too large, since one row is drawn as often as
            another: 1.3 times with twice as many rows as draws.
        max_samples: Most gradients per sample with ``nb_samples="auto"``.
        budget_ms: Milliseconds a call, or a batch of a dataset, may take with
            ``nb_samples="auto"``: no round begins that would end later, by the speed of the last
            one. What error that left `Attribution.error` says; how many gradients there were
            `Attribution.evaluations`, which as `max_samples` of a method without a budget give the
            sample's map again on any machine.

    Raises:
        InputError: `nb_samples` is below 1, `max_samples` below 32 with "auto", or `seed` or
            `tolerance` negative.
        InputTypeError: `background` is missing, or `nb_samples` neither a whole number nor "auto";
            all other errors are those of `Explainer`.

    Example:
        >>> import polyattr, torch
        >>> background = torch.tensor([[0.0, 0.0], [2.0, 0.0]])
        >>> method = polyattr.ExpectedGradients(lambda x: x.sum(1), background=background)
        >>> method.attribute(torch.tensor([[3.0, 1.0]])).values
        tensor([[2., 1.]])
    """

    background: Any = None
    nb_samples: int | Literal["auto"] = 50
    seed: int = setting(default=0, check=count_of(0))
    tolerance: float | None = setting(default=None, check=check_tolerance)
    max_samples: int = setting(default=MOST_DRAWS, check=count_of(1))
    budget_ms: float | None = setting(default=None, check=check_budget)

    gist = "gradient along many paths"
    paper = Paper(
        "erion2019improving",
        "Erion, Gabriel and Janizek, Joseph D. and Sturmfels, Pascal and Lundberg, Scott M. and "
        "Lee, Su-In",
        "Improving Performance of Deep Learning Models with Axiomatic Attribution Priors and "
        "Expected Gradients",
        2019,
        "1906.10670",
    )
    guide = Guide(
        equation="mean over background rows b and a in [0, 1] of (x_i - b_i) * df/dx_i(b + a "
        "* (x - b))",
        cost="`nb_samples` gradients per sample, 50 unless given",
        when="tables, and wherever no single baseline is right: shares of f(x) minus the "
        "mean score of the background, comparable to SHAP's",
        when_not="no background data that is like the inputs; 50 draws usually leave an "
        "error of 10 to 40 %",
    )

    def check(self) -> None:
        """Checks that there is a background, and draws enough.

        Raises:
            InputTypeError: There is none, or `nb_samples` is neither a number nor "auto".
            InputError: Too few draws.
        """
        count, tolerance = check_draws(self.nb_samples, self.max_samples, self.tolerance)
        self._keep(nb_samples=count, tolerance=tolerance)
        check_chosen(self.budget_ms, "nb_samples", self.nb_samples)
        if self.background is None:
            raise InputTypeError(
                "background is None; expected data (B, ...) like the inputs to draw baselines from"
            )

    def recipe(self) -> Recipe:
        """The path integral over random baselines."""
        if isinstance(self.nb_samples, str):
            return RandomBaselines(count=self.max_samples, seed=self.seed, tolerance=self.tolerance)
        return RandomBaselines(count=self.nb_samples, seed=self.seed)
