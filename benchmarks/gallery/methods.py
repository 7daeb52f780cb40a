"""The pictures and figures on the pages of methods: each explains the digits of the demo."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

import polyattr
from gallery import networks
from polyattr import metrics, plots

warnings.simplefilter("ignore", polyattr.PolyattrWarning)

Array = np.ndarray[Any, Any]
SHOWN = (0, 4, 7, 11)
MEASURED = 200
PORTIONS = 28
"""In which pixels are removed, or put in: 28 of them at a time."""


def kinds() -> dict[str, Callable[[networks.Task], Any]]:
    """How each method whose map has the shape of the picture is made, at its defaults."""
    plain = (
        *("Saliency", "GradientInput", "IntegratedGradients", "GuidedIntegratedGradients"),
        *("BlurIntegratedGradients", "IDGI", "IntegratedDecisionGradients"),
        *("SmoothGrad", "SquareGrad", "VarGrad"),
    )
    made: dict[str, Callable[[networks.Task], Any]] = {
        name: _plain(getattr(polyattr, name)) for name in plain
    }
    made["ExpectedGradients"] = lambda task: polyattr.ExpectedGradients(
        task.model, output_layer="logits", background=task.x[500:]
    )
    return made


def _plain(kind: Any) -> Callable[[networks.Task], Any]:
    return lambda task: kind(task.model, output_layer="logits")


def map_of(name: str) -> Figure:
    """What a method says of four digits."""
    task = networks.digits()
    shown = task.x[list(SHOWN)]
    result = kinds()[name](task).attribute(shown)
    return plots.compare({name: result}, shown, labels=task.labels[list(SHOWN)])


def pictures() -> dict[str, Callable[[], Figure]]:
    """The pictures by the name of their page."""
    made: dict[str, Callable[[], Figure]] = {
        page_of(name): partial(map_of, name) for name in kinds()
    }
    return made | {
        page_of("AttributionPatching"): units,
        page_of("SmoothHess"): pairs,
    }


def page_of(name: str) -> str:
    """The name of a method's page: that of its class, with dashes."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def pairs() -> Figure:
    """Pairs of measurements of one patient."""
    task = networks.table()
    chosen = [0, 1, 6, 7, 20, 21, 22, 27]
    method = polyattr.SmoothHess(task.model, features=chosen, nb_samples=4000, noise=0.5)
    result = method.attribute(task.x[:1])
    ax = plots.interactions(result, names=[task.names[i] for i in chosen])
    return ax.figure  # type: ignore[return-value]  # not of a part


def units() -> Figure:
    """What the units of two layers pass on, summed over the channels of a layer."""
    task = networks.digits()
    layers = ["relu1", "relu2"]
    method = polyattr.AttributionPatching(
        task.model, output_layer="logits", layers=layers, steps=50
    )
    shown = task.x[[SHOWN[0], SHOWN[-1]]]
    found = method.explain(shown)
    figure = Figure(figsize=(8.2, 3.4), layout="constrained")
    axes = figure.subplots(1, 4)
    for place, sample in enumerate((0, 1)):
        for at, layer in enumerate(layers):
            summed = found[layer][sample].sum(dim=0).numpy()
            title = f"digit {place + 1}: {layer}, {summed.shape[0]} x {summed.shape[1]}"
            plots.image(summed, ax=axes[2 * place + at], title=title)
    return figure


def measured() -> dict[str, dict[str, float]]:
    """Areas under the curves of deletion and insertion, error and cost, by method.

    The probability of the class that is read, as pixels are put to black in the order of the map,
    or put into a black picture; the mean of `MEASURED` held-out digits and its standard error.
    """
    task = networks.digits()
    x = task.x[:MEASURED]
    found = {}
    for name, made in kinds().items():
        result = made(task).attribute(x)
        found[name] = _curves(task, x, result) | {
            "error": round(float(np.median(result.error)), 3),
            "evaluations": float(result.evaluations[0]),
        }
    drawn = np.random.default_rng(0).random(tuple(x.shape))
    found["any order"] = _curves(task, x, torch.tensor(drawn))
    return found


def _curves(task: networks.Task, x: torch.Tensor, values: Any) -> dict[str, float]:
    """Areas of `polyattr.metrics`: a method without `output_layer` scores the probability."""
    asked, told = polyattr.Saliency(task.model), dict[str, float]()
    for measure in (metrics.deletion, metrics.insertion):
        areas = measure(asked, x, attribution=values, steps=PORTIONS).values
        told[measure.__name__] = round(float(areas.mean()), 3)
        told[f"{measure.__name__}_error"] = round(float(areas.std(ddof=1) / len(areas) ** 0.5), 3)
    return told
