"""Every method once more, in a few lines of NumPy float64: what a backend has to reproduce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from polyattr.sampling.noise import portable_noise

Array = np.ndarray[Any, Any]
Gradient = Callable[[Array], Array]
"""Maps points (N, ...) to the gradient there (N, ...)."""

DRAWS = {"nb_samples": 7, "noise": 0.3, "seed": 11}

METHODS: Mapping[str, dict[str, Any]] = {
    "Saliency": {},
    "GradientInput": {},
    "IntegratedGradients": {"steps": 6, "baseline_value": 0.25},
    "SmoothGrad": DRAWS,
    "SquareGrad": DRAWS,
    "VarGrad": DRAWS,
}
"""The methods of the suite and the arguments it calls them with."""


def attributions(name: str, gradient: Gradient, x: Array) -> Array:
    """Returns what a method of `METHODS` must find for the samples `x`, (N, ...)."""
    if name == "Saliency":
        size: Array = np.abs(gradient(x))
        return size
    if name == "GradientInput":
        return x * gradient(x)
    if name == "IntegratedGradients":
        return _integrated(gradient, x)
    found = np.stack([gradient(point) for point in _noisy(x, paired=name == "SmoothGrad")])
    if name == "VarGrad":
        variance: Array = found.var(axis=0, ddof=1)
        return variance
    mean: Array = (found**2 if name == "SquareGrad" else found).mean(axis=0)
    return mean


def _integrated(gradient: Gradient, x: Array) -> Array:
    settings = METHODS["IntegratedGradients"]
    start, steps = settings["baseline_value"], settings["steps"]
    found = [gradient(start + alpha * (x - start)) for alpha in np.linspace(0, 1, steps)]
    weights = np.r_[0.5, np.ones(steps - 2), 0.5] / (steps - 1)  # the trapezoid rule
    mean: Array = np.tensordot(weights, np.stack(found), axes=1)
    integrated: Array = (x - start) * mean
    return integrated


def _noisy(x: Array, paired: bool) -> list[Array]:
    """The noisy copies: one draw each, or in pairs with both signs."""
    copies = []
    for i in range(DRAWS["nb_samples"]):  # type: ignore[call-overload]  # arguments of any type
        draw, sign = (i // 2, -1 if i % 2 else 1) if paired else (i, 1)
        noise = portable_noise(int(DRAWS["seed"]), draw, 0, x.shape[1:]).astype(np.float64)
        copies.append(x + sign * DRAWS["noise"] * noise)
    return copies
