"""What SmoothGrad, SquareGrad and VarGrad share: gradients or maps at noisy copies."""

from __future__ import annotations

from dataclasses import field
from typing import Any, ClassVar, Literal

from polyattr.errors import InputError, InputTypeError
from polyattr.explainer.explainer import Explainer
from polyattr.explainer.settings import setting
from polyattr.question.checks import (
    check_budget,
    check_chosen,
    check_flag,
    check_non_negative,
    check_tolerance,
    count_of,
)
from polyattr.sampling.drawing.draws import Distribution, Draws, check_distribution
from polyattr.sampling.drawing.enough import MOST_DRAWS, check_draws
from polyattr.sampling.noise import SOURCES


class _NoModel:
    """Stands for a model that was not given: None is something a user may pass by mistake."""

    def __repr__(self) -> str:
        return "no model"

    def __reduce__(self) -> str:
        return "_NO_MODEL"  # copies and pickles are the same object


_NO_MODEL = _NoModel()


def check_source(name: str, source: object) -> object:
    """Checks for the name of a source of noise.

    Raises:
        InputError: Something else.
    """
    if not isinstance(source, str) or source not in SOURCES:
        raise InputError(
            f"{name} is {source!r}; expected 'portable' (the same draws in every framework) or "
            f"'native' (drawn by the framework on its device)"
        )
    return source


def _check_mode(name: str, mode: object) -> object:
    if not isinstance(mode, str) or mode not in ("absolute", "relative"):
        raise InputError(
            f"{name} is {mode!r}; expected 'absolute' (noise in the units of the inputs) or "
            f"'relative' (as a fraction of each sample's largest minus smallest number)"
        )
    return mode


def _check_inner(name: str, of: object) -> object:
    if of is not None and not isinstance(of, Explainer):
        raise InputTypeError(
            f"{name} is {of!r}; expected a method such as IntegratedGradients(model), or None"
        )
    if of is not None and of.recipe().shape((1,)) != (1,):
        raise InputError(
            f"{name} is {of!r}, which has no attribution for each feature; expected one that has"
        )
    if getattr(of, "budget_ms", None) is not None:
        raise InputError(
            f"{name} is {of!r}, which has a budget_ms of its own; expected it on the outer method, "
            f"whose rounds are what there is time for"
        )
    return of


class NoisyExplainer(Explainer):
    r"""Base of the methods that look at the gradient at x + e, e ~ N(0, noise^2).

    Args:
        model: The model; this and the keyword arguments not listed are those of `Explainer`.
        of: Another method whose attributions take the place of gradients, with its model; then no
            `model` is given, and of the shared arguments only `batch_size`, the most rows per
            gradient call for the whole.
        nb_samples: Gradients per sample; or "auto": rounds of draws, and a sample is done when the
            relative error of its map, `Attribution.error`, is within `tolerance`.
        noise: Standard deviation, in the units of the inputs; or as `noise_mode` says.
        seed: Seed of the draws. A draw depends on the seed and its number, and with
            ``shared_draws=False`` on the sample's id: never on batch_size, nor on which other
            samples are explained.
        noise_source: "portable" draws with NumPy on the host, the same in every framework;
            "native" draws with the framework's generator on the model's device.
        noise_mode: "absolute", or "relative": `noise` is then a fraction of each sample's range,
            its largest minus its smallest number, input by input. Equal numbers have no range, and
            get no noise.
        distribution: What the draws come from: ``distribution(generator, shape) -> array``, with a
            `numpy.random.Generator` that belongs to the draw and the shape of one sample, such as
            ``lambda g, shape: g.uniform(-1, 1, shape)``. They are multiplied by `noise`. None is
            the standard normal distribution.
        shared_draws: True: all samples of a call have the same draws. A sample's map is then the
            same alone, in another order and among others, and maps can be compared with each other
            without noise between them; but their errors are correlated, and a mean over samples is
            no more certain than one map. False: each sample has its own, by an id: its place in the
            call, or over all batches of a dataset; or `sample_ids` of the call, with which maps
            depend neither on the order nor on the company.
        tolerance: Relative error above which a `ConvergenceWarning` is given; with
            ``nb_samples="auto"`` the one to stop at, 0.05 unless given. With a number and None,
            `attribute`, which knows it for free, warns above 0.05, and `explain` does not look: 50
            gradients of small ReLU networks leave 0.005 to 0.09 of the mean, 0.01 to 0.16 of the
            mean square, 0.15 to 0.27 of the variance.
        max_samples: Most gradients per sample with ``nb_samples="auto"``.
        budget_ms: Milliseconds a call, or a batch of a dataset, may take with
            ``nb_samples="auto"``: no round begins that would end later, by the speed of the last
            one. What error that left `Attribution.error` says; how many gradients there were
            `Attribution.evaluations`, which as `max_samples` of a method without a budget give the
            sample's map again on any machine.
    """

    model: Any = field(default=_NO_MODEL, kw_only=False)
    of: Explainer | None = setting(default=None, check=_check_inner)
    nb_samples: int | Literal["auto"] = 50
    noise: float = setting(default=0.2, check=check_non_negative)
    seed: int = setting(default=0, check=count_of(0))
    noise_source: str = setting(default="portable", check=check_source)
    noise_mode: str = setting(default="absolute", check=_check_mode)
    distribution: Distribution | None = setting(default=None, check=check_distribution)
    shared_draws: bool = setting(default=True, check=check_flag)
    tolerance: float | None = setting(default=None, check=check_tolerance)
    max_samples: int = setting(default=MOST_DRAWS, check=count_of(1))
    budget_ms: float | None = setting(default=None, check=check_budget)

    fewest_draws: ClassVar[int] = 1
    """Draws a single estimate needs, and so does each group of a standard error."""

    def check(self) -> None:
        """Checks that there are enough draws, and one of model and inner method.

        Raises:
            InputTypeError: `nb_samples` is neither a whole number nor "auto".
            InputError: Too few draws, both a model and a method, or neither; or arguments that
                belong to the inner method.
        """
        count, tolerance = check_draws(
            self.nb_samples, self.max_samples, self.tolerance, self.fewest_draws
        )
        self._keep(nb_samples=count, tolerance=tolerance)
        check_chosen(self.budget_ms, "nb_samples", self.nb_samples)
        if self.distribution is not None and self.noise_source != "portable":
            raise InputError(
                f"distribution is given, but noise_source={self.noise_source!r} draws in the "
                f"framework, where only the normal one is known; expected noise_source='portable'"
            )
        name = type(self).__name__
        if self.of is None:
            if self.model is _NO_MODEL:
                raise InputError(
                    f"{name} was given neither a model nor a method; expected {name}(model) or "
                    f"{name}(of=IntegratedGradients(model))"
                )
            return
        if self.model is not _NO_MODEL:
            raise InputError(
                f"{name} was given a model and of={self.of!r}, which has its own; leave one out"
            )
        wrong = [n for n in self._shared_given() if n != "batch_size"]
        if wrong:
            raise InputError(
                f"{wrong[0]} is given beside of; it belongs to the inner method: "
                f"of={type(self.of).__name__}(..., {wrong[0]}=...)"
            )

    def _draws(self) -> dict[str, Any]:
        """The arguments of `NoisyCopies` that say how many copies there are, and where."""
        auto = self.nb_samples == "auto"
        return {
            "noise": Draws(self.seed, self.noise_source, self.distribution, self.shared_draws),
            "count": self.max_samples if auto else self.nb_samples,
            "tolerance": self.tolerance if auto else None,
            "deviation": float(self.noise),
            "relative": self.noise_mode == "relative",
        }

    def inner(self) -> Explainer | None:
        """The method that is smoothed, if there is one."""
        return self.of
