"""The pictures of the gallery: each a function that returns a figure, by its name in the docs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

import polyattr
from gallery import networks
from polyattr import Names, plots

warnings.simplefilter("ignore", polyattr.ConvergenceWarning)
warnings.simplefilter("ignore", polyattr.BaselineWarning)


def _named(result: polyattr.Attribution, **names: Any) -> polyattr.Attribution:
    from dataclasses import replace

    return replace(result, names=Names(**names))


def image() -> Figure:
    """One photo in all modes."""
    task = networks.photographs(4)
    method = polyattr.IntegratedGradients(task.model, steps=64, rule="midpoint", batch_size=4)
    result = _named(method.attribute(task.x[3:4]), classes=task.classes)
    figure = Figure(figsize=(11.2, 3.2), layout="constrained")
    axes = figure.subplots(1, 4)
    for ax, mode in zip(axes, ("map", "overlay", "masked", "positive"), strict=True):
        title = None if mode == "map" else mode
        plots.image(result, task.x[3:4], ax=ax, mode=mode, pool=4, title=title)
    return figure


def uncertainty() -> Figure:
    """The same map from few draws and from many."""
    task = networks.digits()
    figure = Figure(figsize=(10.4, 3.1), layout="constrained")
    for ax, draws in zip(figure.subplots(1, 4), (4, 16, 64, 1024), strict=True):
        method = polyattr.SmoothGrad(task.model, output_layer="logits", nb_samples=draws, noise=0.3)
        result = method.attribute(task.x[11:12])
        title = f"{draws} draws, error {result.error[0]:.0%}"
        plots.image(result, ax=ax, percentile=100, title=title)
    return figure


def marks() -> Figure:
    """What has no place on a scale."""
    y, x = np.mgrid[:14, :14]
    bump = np.exp(-((x - 4) ** 2 + (y - 5) ** 2) / 6) - np.exp(-((x - 9) ** 2 + (y - 9) ** 2) / 6)
    odd = bump.copy()
    odd[1, 12], odd[12, 2], odd[11, 11:13] = np.nan, np.inf, -np.inf
    far = np.tile(bump, (2, 2))
    far[3, 20], far[20, 3] = 6.0, -9.0
    figure = Figure(figsize=(12.4, 3.0), layout="constrained")
    axes = figure.subplots(1, 5)
    plots.image(odd, ax=axes[0], title="not finite")
    plots.image(far, ax=axes[1], title="outliers")
    plots.image(np.abs(bump), ax=axes[2], title="signed, but positive")
    plots.image(np.abs(bump), ax=axes[3], signed=False, title="magnitudes")
    plots.image(0 * bump, ax=axes[4], title="nothing")
    return figure


def compare() -> Figure:
    """Four methods on photos."""
    task = networks.photographs(20)
    chosen = [0, 3, 6, 11]
    x = task.x[chosen]
    kinds = {
        "Saliency": polyattr.Saliency(task.model),
        "GradientInput": polyattr.GradientInput(task.model),
        "IntegratedGradients\n64 steps": polyattr.IntegratedGradients(
            task.model, steps=64, rule="midpoint", batch_size=4
        ),
        "SmoothGrad\n32 draws": polyattr.SmoothGrad(
            task.model, nb_samples=32, noise=0.2, batch_size=4
        ),
    }
    results = {
        name: _named(method.attribute(x), classes=task.classes) for name, method in kinds.items()
    }
    return plots.compare(results, x, labels=task.labels[chosen], pool=4)


def digits() -> Figure:
    """Maps of 8 by 8 pixels."""
    task = networks.small_digits()
    kinds = (polyattr.Saliency, polyattr.IntegratedGradients, polyattr.SmoothGrad)
    return plots.compare([kind(task.model).attribute(task.x[:10]) for kind in kinds], task.x[:10])


def tabular() -> Figure:
    """Two patients."""
    task = networks.table()
    method = polyattr.ExpectedGradients(task.model, background=task.x, nb_samples=200)
    result = _named(method.attribute(task.x[:2]), features=task.names, classes=task.classes)
    return result.plot(task.x[:2], max_features=10)  # type: ignore[no-any-return]  # a figure


def summary() -> Figure:
    """All patients."""
    task = networks.table()
    method = polyattr.ExpectedGradients(task.model, background=task.x, nb_samples=100)
    result = _named(method.attribute(task.x, 0), features=task.names)
    figure = Figure(figsize=(11.5, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.summary(result, task.x, ax=left)
    plots.summary(result, ax=right, style="bar")
    return figure


def interactions() -> Figure:
    """Pairs of measurements."""
    task = networks.table()
    chosen = [0, 1, 6, 7, 20, 21, 22, 27]
    method = polyattr.SmoothHess(task.model, features=chosen, nb_samples=4000, noise=0.5)
    result = method.attribute(task.x[:1])
    ax = plots.interactions(
        _named(result, classes=task.classes), names=[task.names[i] for i in chosen]
    )
    return ax.figure  # type: ignore[return-value]  # not of a part


def timeseries() -> Figure:
    """A watch on a badminton player's wrist."""
    task = networks.motions()
    method = polyattr.IntegratedGradients(task.model, steps=100)
    result = _named(method.attribute(task.x[12:13]), channels=task.names, classes=task.classes)
    return plots.timeseries(result, task.x[12:13])


def text() -> Figure:
    """Which words make sentences alike."""
    task = networks.sentences()
    method = polyattr.IntegratedGradients(
        task.encoder,
        operator=networks.similarity,
        output="last_hidden_state",
        steps=64,
        rule="midpoint",
        input_layer="embeddings.word_embeddings",
    )
    result = method.attribute(task.tokens, task.partners, baselines={"input_ids": task.pads})
    figure: Figure = _named(result, tokens=task.words).plot(skip=["[PAD]"])
    return figure


def logo() -> Figure:
    """A sequence with a TATA box."""
    task = networks.bases()
    uniform = np.full((60, 4), 0.25, np.float32)
    method = polyattr.IntegratedGradients(task.model, steps=100, baseline_value=uniform)
    result = method.attribute(task.x[1:2], 1)
    ax = plots.logo(_named(result, classes=task.classes), task.x[1:2])
    return ax.figure  # type: ignore[return-value]  # not of a part


def path() -> Figure:
    """Where the path of the patient rises whom the network is least sure of."""
    task = networks.table()
    with torch.no_grad():
        unsure = int(task.model(task.x).diff(dim=1).abs().argmin())
    method = polyattr.IntegratedGradients(task.model, steps="auto")
    ax = plots.path(method, task.x, sample=unsure, features=5, names=task.names)
    return ax.figure  # type: ignore[return-value]  # not of a part


def convergence() -> Figure:
    """Whether errors can be trusted."""
    task = networks.digits()
    method = polyattr.IntegratedGradients(task.model, output_layer="logits")
    ax = plots.convergence(method, task.x[:40], counts=(8, 16, 32, 64, 128, 256))
    return ax.figure  # type: ignore[return-value]  # not of a part


PICTURES: dict[str, Callable[[], Figure]] = {
    made.__name__: made
    for made in (
        *(image, uncertainty, marks, compare, digits, tabular, summary, interactions),
        *(timeseries, text, logo, path, convergence),
    )
}

torch.set_num_threads(2)
