"""What SmoothGrad, SquareGrad and VarGrad share: gradients at noisy copies of the input."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Unpack

from polyattr.errors import InputError, InputTypeError
from polyattr.explainer.explainer import Explainer
from polyattr.explainer.options import Common, Settings
from polyattr.question.checks import check_count, check_non_negative
from polyattr.sampling.noise import SOURCES
from polyattr.sampling.points import NoisyCopies, Points, independent_groups


@dataclass(frozen=True)
class NoiseSettings(Settings):
    """Arguments of the methods that average over noise."""

    nb_samples: int
    noise: float
    seed: int
    noise_source: str
    antithetic: bool

    def __post_init__(self) -> None:
        check_non_negative("noise", self.noise)
        check_count("seed", self.seed, 0)
        if not isinstance(self.antithetic, bool):
            raise InputTypeError(f"antithetic is {self.antithetic!r}; expected True or False")
        if not isinstance(self.noise_source, str) or self.noise_source not in SOURCES:
            raise InputError(
                f"noise_source is {self.noise_source!r}; expected 'portable' (the same draws in "
                f"every framework) or 'native' (drawn by the framework on its device)"
            )


class NoisyGradient(Explainer):
    r"""Base of the methods that look at the gradient at x + e, e ~ N(0, noise^2).

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        nb_samples: Gradients per sample; this and the next three as for `SmoothGrad`.
        noise: Standard deviation, in the units of the inputs.
        seed: Seed of the draws.
        noise_source: "portable" or "native".
        **common: See `Explainer`.
    """

    settings: NoiseSettings
    fewest_draws: ClassVar[int] = 1
    """Draws a single estimate needs, and so does each group of a standard error."""

    def __init__(
        self,
        model: Any,
        *,
        nb_samples: int = 50,
        noise: float = 0.2,
        seed: int = 0,
        noise_source: str = "portable",
        **common: Unpack[Common],
    ) -> None:
        self._prepare(model, NoiseSettings(nb_samples, noise, seed, noise_source, False), common)

    def _prepare(self, model: Any, settings: NoiseSettings, common: Common) -> None:
        count = check_count("nb_samples", settings.nb_samples, self.fewest_draws)
        seed = int(settings.seed)
        Explainer.__init__(self, model, replace(settings, nb_samples=count, seed=seed), **common)

    @property
    def points(self) -> Points:
        """The noisy copies."""
        given = self.settings
        draws = -(-given.nb_samples // 2) if given.antithetic else given.nb_samples
        return NoisyCopies(
            count=given.nb_samples,
            groups=independent_groups(draws, self.fewest_draws),
            noise=given.noise,
            antithetic=given.antithetic,
        )

    @property
    def noise(self) -> tuple[int, str] | None:
        """Seed and source of the draws."""
        return self.settings.seed, self.settings.noise_source
