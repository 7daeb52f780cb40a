"""SmoothHess: how features act on the score together."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import InputError
from polyattr.explainer import Explainer, Guide, Paper, setting
from polyattr.explainer.noisy import check_source
from polyattr.interactions.chosen import Chosen, check_features, check_pairs
from polyattr.question.checks import (
    check_budget,
    check_chosen,
    check_flag,
    check_non_negative,
    check_tolerance,
    count_of,
)
from polyattr.sampling import Carry, NoisyCopies, Recipe, Rows, Spot
from polyattr.sampling.drawing.enough import MOST_DRAWS, check_draws


@dataclass(frozen=True)
class Interactions(NoisyCopies):
    """Products of draws and gradients over noisy copies, for chosen pairs of features.

    Attributes:
        chosen: Which pairs.
    """

    chosen: Chosen = field(default_factory=Chosen)

    def shape(self, sample: tuple[int, ...]) -> tuple[int, ...]:
        """That of a block of the Hessian, or the number of pairs."""
        return self.chosen.shape(sample)

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """Adds the row's draw, which is also what the copy was moved by."""
        scale: Any = at.rows.scale
        wide = backend.accumulator_dtype(at.x)
        moved = backend.column(backend.cast(scale, wide), at.x) * backend.cast(at.noise, wide)
        return backend.add_noise(at.x, at.noise, scale), moved

    def flow(self, backend: GradBackend, gradient: Tensor, velocity: Tensor) -> Tensor:
        """Half of d_i g_j + g_i d_j over the variance: the symmetric part of Stein's estimate."""
        factor = 0.5 / self.deviation**2
        move = velocity * factor
        there = self.chosen.products(backend, move, gradient)
        return there + self.chosen.products(backend, gradient, move)

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """The products."""
        return flow, carry


class SmoothHess(Explainer):
    r"""Interactions of features: the Hessian of the score smoothed with Gaussian noise.

    .. math:: H_{ij} = E\left[\frac{d_i \, \partial_j f(x + d) + d_j \, \partial_i f(x + d)}
        {2 \sigma^2}\right], \quad d \sim N(0, \sigma^2)

    Torop, Masoomi, Hill, Kose, Ioannidis & Dy, SmoothHess: ReLU Network Feature Interactions via
    Stein's Lemma (2023), arXiv 2311.00858. By Stein's lemma it is the Hessian of f smoothed with
    that noise, which ReLU networks have though their own is zero almost everywhere; of a quadratic
    score it is the Hessian itself, but for the sampling error that `Attribution.standard_error`
    states. It costs the gradients of `SmoothGrad`, at the same copies, however many pairs there
    are. Shape: (N, I, J) for I `features` and J `others` of each input, (N, F, F) for all F of
    them, (N, P) for P `pairs`. Units: score per squared unit of the input.

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        features: Which rows of the Hessian: a list of features, each the number of one counted
            through a sample, or its place (i, j, ...) there; None for all.
        others: Which columns likewise; None for those of `features`.
        pairs: Instead of a block, a list of pairs of features.
        nb_samples: Gradients per sample, or "auto"; this and the other arguments are those of
            `SmoothGrad`.
        noise: Standard deviation of the draws, in the units of the inputs, above 0.
        seed: Seed of the draws.
        noise_source: "portable" or "native".
        antithetic: Use each draw with both signs: the gradient at x itself, whose products with
            draws are 0 only in the mean, cancels.
        tolerance: Relative error to stop at with "auto", and to warn above.
        max_samples: Most gradients per sample with "auto".
        budget_ms: Milliseconds a call may take with "auto".

    Raises:
        InputError: `noise` is 0, `pairs` and `features` are both given, a feature is not there, or
            `tangent` is given; all other errors are those of `SmoothGrad`.

    Example:
        >>> import polyattr, torch
        >>> method = polyattr.SmoothHess(lambda x: x[:, 0] * x[:, 1], nb_samples=4000)
        >>> method.explain(torch.zeros(1, 2)).round(decimals=1).abs()
        tensor([[[0., 1.],
                 [1., 0.]]])
    """

    features: Any = setting(default=None, check=check_features)
    others: Any = setting(default=None, check=check_features)
    pairs: Any = setting(default=None, check=check_pairs)
    nb_samples: int | Literal["auto"] = 50
    noise: float = setting(default=0.2, check=check_non_negative)
    seed: int = setting(default=0, check=count_of(0))
    noise_source: str = setting(default="portable", check=check_source)
    antithetic: bool = setting(default=True, check=check_flag)
    tolerance: float | None = setting(default=None, check=check_tolerance)
    max_samples: int = setting(default=MOST_DRAWS, check=count_of(1))
    budget_ms: float | None = setting(default=None, check=check_budget)

    gist = "interactions under noise"
    paper = Paper(
        "torop2023smoothhess",
        "Torop, Max and Masoomi, Aria and Hill, Davin and Kose, Kivanc and Ioannidis, Stratis and "
        "Dy, Jennifer",
        "SmoothHess: ReLU Network Feature Interactions via Stein's Lemma",
        2023,
        "2311.00858",
    )
    guide = Guide(
        equation="mean over noise d of (d_i * df/dx_j(x + d) + d_j * df/dx_i(x + d)) / (2 s^2)",
        cost="`nb_samples` gradients per sample, however many pairs",
        when="which pairs of features act together, also in ReLU networks, whose own Hessian is 0",
        when_not="one number per feature; many features and few draws: look at the standard errors",
    )

    def check(self) -> None:
        """Checks that there is noise, and one choice of features.

        Raises:
            InputTypeError: `nb_samples` is neither a whole number nor "auto".
            InputError: No noise, two choices, or a tangent.
        """
        count, tolerance = check_draws(self.nb_samples, self.max_samples, self.tolerance)
        self._keep(nb_samples=count, tolerance=tolerance)
        check_chosen(self.budget_ms, "nb_samples", self.nb_samples)
        if self.noise == 0 or not math.isfinite(1 / float(self.noise) ** 2):
            raise InputError(
                f"noise is {self.noise}; expected more: SmoothHess is the Hessian of the score "
                f"smoothed with it, and divides by its square"
            )
        if self.pairs is not None and not (self.features is self.others is None):
            raise InputError("pairs and features or others are given; expected one or the other")
        if self.tangent is not None:
            raise InputError(
                f"tangent is {self.tangent!r}, which is a direction of gradients; expected None: "
                f"interactions have two"
            )

    def recipe(self) -> Recipe:
        """Products of draws and gradients over noisy copies."""
        auto = self.nb_samples == "auto"
        return Interactions(
            noise=(self.seed, self.noise_source),
            count=self.max_samples if auto else int(self.nb_samples),
            tolerance=self.tolerance if auto else None,
            deviation=float(self.noise),
            antithetic=self.antithetic,
            chosen=Chosen(self.features, self.others, self.pairs),
        )
