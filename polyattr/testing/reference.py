"""Every method once more, in a few lines of NumPy float64: what a backend has to reproduce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from polyattr import methods
from polyattr.sampling import RandomBaselines
from polyattr.sampling.noise import portable_noise
from polyattr.testing.path_references import blurred, decisions, guided, important_directions
from polyattr.testing.scored import Scored

Array = np.ndarray[Any, Any]
_NB_SAMPLES, _NOISE, _SEED = 7, 0.3, 11
_STEPS, _START = 6, 0.25
_GUIDED = {"fraction": 0.4, "max_dist": 0.25}
# So few steps leave maps off that tell their error, which has to be what is accepted.
_FEW_STEPS = {"steps": _STEPS, "baseline_value": _START, "tolerance": 10.0}
_ROWS = (0.25, -0.5, 1.0)
_DRAWS = {"nb_samples": _NB_SAMPLES, "noise": _NOISE, "seed": _SEED}


def _integrated(model: Scored, x: Array) -> Array:
    alphas = np.linspace(0, 1, _STEPS)
    alphas[0] = alphas[1] / 100  # the start is taken from inside
    found = [model.gradient(_START + alpha * (x - _START)) for alpha in alphas]
    weights = np.r_[0.5, np.ones(_STEPS - 2), 0.5] / (_STEPS - 1)  # the trapezoid rule
    mean: Array = np.tensordot(weights, np.stack(found), axes=1)
    integrated: Array = (x - _START) * mean
    return integrated


def _expected(model: Scored, x: Array) -> Array:
    drawn = RandomBaselines(count=_NB_SAMPLES, seed=_SEED, references=len(_ROWS)).table(1)
    starts = [np.full_like(x, _ROWS[row]) for row in _column(drawn.reference)]
    points = [b + at * (x - b) for b, at in zip(starts, _column(drawn.alpha), strict=True)]
    found = [(x - b) * model.gradient(point) for b, point in zip(starts, points, strict=True)]
    mean: Array = np.mean(found, axis=0)
    return mean


def _column(values: Array | None) -> Array:
    return np.zeros(_NB_SAMPLES) if values is None else values


def _background(x: Any) -> Any:
    """Makes a background for `x`: rows that hold one number each."""
    if isinstance(x, dict):
        return {key: _background(array) for key, array in x.items()}
    if isinstance(x, tuple):
        return tuple(_background(array) for array in x)
    return np.stack([np.full(x.shape[1:], row) for row in _ROWS])


def _with_background(x: Any) -> dict[str, Any]:
    return {"background": _background(x), "nb_samples": _NB_SAMPLES, "seed": _SEED}


def _smooth(model: Scored, x: Array) -> Array:
    # Draws in pairs with both signs: what is odd in the noise cancels.
    signed = [(i // 2, -1 if i % 2 else 1) for i in range(_NB_SAMPLES)]
    mean: Array = _at_copies(model, x, signed).mean(axis=0)
    return mean


def _square(model: Scored, x: Array) -> Array:
    mean: Array = (_at_copies(model, x, _unsigned()) ** 2).mean(axis=0)
    return mean


def _variance(model: Scored, x: Array) -> Array:
    variance: Array = _at_copies(model, x, _unsigned()).var(axis=0, ddof=1)
    return variance


def _unsigned() -> list[tuple[int, int]]:
    return [(draw, 1) for draw in range(_NB_SAMPLES)]


def _at_copies(model: Scored, x: Array, draws: list[tuple[int, int]]) -> Array:
    """Returns the gradients at the noisy copies of `x`, one for each (draw, sign)."""
    noise = [portable_noise(_SEED, draw, 0, x.shape[1:]).astype(np.float64) for draw, _ in draws]
    signs = [sign for _, sign in draws]
    copies = [x + sign * _NOISE * drawn for sign, drawn in zip(signs, noise, strict=True)]
    return np.stack([model.gradient(copy) for copy in copies])


@dataclass(frozen=True)
class Reference:
    """A method in NumPy, and how the suite calls it.

    Attributes:
        attributions: What the method must find, from a model and samples (N, ...).
        arguments: The arguments of the method; or a function that makes them of the samples, an
            array (N, ...) or a tuple or dict of several, where they depend on these.
    """

    attributions: Callable[[Scored, Array], Array]
    arguments: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]] = field(default_factory=dict)


REFERENCES: Mapping[str, Reference] = {
    "BlurIntegratedGradients": Reference(
        lambda model, x: blurred(model, x, 2.0, _STEPS),
        {"steps": _STEPS, "max_sigma": 2.0, "tolerance": 10.0},
    ),
    "ExpectedGradients": Reference(_expected, _with_background),
    "GradientInput": Reference(lambda model, x: x * model.gradient(x)),
    "GuidedIntegratedGradients": Reference(
        lambda model, x: guided(model, x, _START, _STEPS, **_GUIDED),
        {**_GUIDED, "steps": _STEPS, "baseline_value": _START},
    ),
    "IDGI": Reference(lambda model, x: important_directions(model, x, _START, _STEPS), _FEW_STEPS),
    "IntegratedDecisionGradients": Reference(
        lambda model, x: decisions(model, x, _START, _STEPS), _FEW_STEPS
    ),
    "IntegratedGradients": Reference(_integrated, {"steps": _STEPS, "baseline_value": _START}),
    "Saliency": Reference(lambda model, x: np.abs(model.gradient(x))),
    "SmoothGrad": Reference(_smooth, _DRAWS),
    "SquareGrad": Reference(_square, _DRAWS),
    "VarGrad": Reference(_variance, _DRAWS),
}
"""All that has to be written here for a new method."""


def arguments(name: str, x: Any) -> dict[str, Any]:
    """Returns the arguments the suite calls a method with, for samples `x` (N, ...)."""
    made = REFERENCES[name].arguments
    return dict(made(x) if callable(made) else made)


def attributions(name: str, model: Scored, x: Array) -> Array:
    """Returns what a method must find for the samples `x`, (N, ...)."""
    return REFERENCES[name].attributions(model, x)


def covered(names: list[str], references: Mapping[str, Reference]) -> tuple[str, ...]:
    """Returns the `names` of all methods, each of which must have a reference and no other.

    Raises:
        LookupError: Some have none, so that the suite would pass without looking at them.
    """
    if apart := set(names) ^ set(references):
        raise LookupError(
            f"{', '.join(sorted(apart))}: the methods are {sorted(names)}, and there are "
            f"references for {sorted(references)}; write one entry of REFERENCES for each method"
        )
    return tuple(names)


METHODS = covered(methods.__all__, REFERENCES)
"""The methods of the suite: all there are."""

NOISY = tuple(name for name in METHODS if REFERENCES[name].arguments is _DRAWS)
"""Those that take the mean or the variance over noisy copies."""
