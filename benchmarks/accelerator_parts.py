"""What is measured on a device: time beside bare gradients, and peak memory."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

import polyattr
from accelerator_networks import classes, network_on, pairs, samples, tiles
from accelerator_places import Array, Place
from accelerator_sizes import Result, Sizes

K = TypeVar("K")

TOLERANCE = 1e-4
"""Of the largest entry of a map: float32, and other orders of sums."""

GROWTH, SLACK = 1.25, 1.0
"""By what factor, and how many MiB, the peak of the most steps may exceed that of a fifth of them.
A score and two weights are kept of each step, and tiles that share out the rows differ by a sixth.
"""

FEW_SAMPLES, FEW_ROWS = 4, 64
WARM, FEWEST_ROUNDS, MOST_ROUNDS = 3, 3, 25


def methods(sizes: Sizes) -> dict[str, dict[str, Any]]:
    """The methods that are measured, and what they are made with."""
    points = {"IntegratedGradients": "steps", "SmoothGrad": "nb_samples"}
    return {name: {points[name]: sizes.points} if name in points else {} for name in sizes.methods}


def explainer(place: Place, name: str, model: Any, **settings: Any) -> polyattr.Explainer:
    """Makes a method by its name, on the place's framework."""
    made: polyattr.Explainer = getattr(polyattr, name)(model, backend=place.backend, **settings)
    return made


def apart(found: Array, wanted: Array) -> float:
    """The largest difference of two arrays (...), as a part of the largest wanted entry."""
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


# -- ratios ---------------------------------------------------------------------------------------


def ratios(place: Place, sizes: Sizes) -> Result:
    """The time of a method over that of as many bare gradients, by the tiles that suit these best.

    polyattr takes the tiles that it chooses, and those; all in interleaved rounds.
    """
    figures = {}
    for network, count in sizes.counts.items():
        model = network_on(place, network)
        for name, settings in methods(sizes).items():
            cell = partial(_ratio, place, network, model, name, settings, sizes)
            figures[f"{network} {name}"] = cell(count)
            if name == "GradientInput":  # what a call costs, where there is least beside it
                figures[f"{network} {name} N=1"] = cell(1)
    said = "; ".join(
        f"{cell} {found['auto']:.2f} ({found['best']:.2f} at tiles of {found['tile']})"
        for cell, found in figures.items()
    )
    return Result("ratio to the bare gradient", None, said, figures)


def _ratio(
    place: Place,
    network: str,
    model: Any,
    name: str,
    settings: dict[str, Any],
    sizes: Sizes,
    count: int,
) -> dict[str, Any]:
    points = 1 if name == "GradientInput" else sizes.points
    bare = _bare(place, network, model, points, count, sizes)
    best = _fastest(_rounds(bare, sizes.seconds))
    works = {"bare": bare[best]}
    tried: dict[str, int | str] = {"auto": "auto", "best": best}
    for label, size in tried.items():
        made = explainer(place, name, model, batch_size=size, **settings)
        works[label] = _work(place, made, network, count)
    return {"tile": best, **_compared(_rounds(works, sizes.seconds))}


def _bare(
    place: Place, network: str, model: Any, points: int, count: int, sizes: Sizes
) -> dict[int, Callable[[], object]]:
    """The gradients of all rows, by the size of the tiles they come in."""
    rows, labels = samples(place, network, count, points), place.put(classes(count, points))
    gradient = place.gradient(model)

    def all_of(parts: Sequence[tuple[Any, Any]]) -> None:
        for part in parts:
            found = gradient(*part)
        place.finish(found)

    cut = {size: pairs(rows, labels, size) for size in tiles(count * points, (1, *sizes.splits))}
    return {size: partial(all_of, parts) for size, parts in cut.items()}


def _work(place: Place, made: polyattr.Explainer, network: str, count: int) -> Callable[[], object]:
    x, targets = samples(place, network, count), classes(count)
    return lambda: place.finish(made.explain(x, targets))


def _rounds(works: Mapping[K, Callable[[], object]], seconds: float) -> dict[K, list[float]]:
    """Times the works in turn, in milliseconds."""
    for work in works.values():
        for _ in range(WARM):
            work()
    times: dict[K, list[float]] = {name: [] for name in works}
    started, rounds = perf_counter(), 0
    while rounds < FEWEST_ROUNDS or (rounds < MOST_ROUNDS and perf_counter() - started < seconds):
        rounds += 1
        for name, work in works.items():
            before = perf_counter()
            work()
            times[name].append(1000 * (perf_counter() - before))
    return times


def _fastest(times: Mapping[int, list[float]]) -> int:
    return min(times, key=lambda size: statistics.median(times[size]))


def _compared(times: Mapping[str, list[float]]) -> dict[str, Any]:
    def ratio(name: str) -> float:
        return statistics.median(a / b for a, b in zip(times[name], times["bare"], strict=True))

    medians = {name: statistics.median(found) for name, found in times.items()}
    return {"auto": ratio("auto"), "best": ratio("best"), "milliseconds": medians}


# -- memory ---------------------------------------------------------------------------------------


def memory(place: Place, sizes: Sizes) -> Result:
    """Peak memory of Integrated Gradients by the number of steps: flat once tiles are full.

    Comes first: XLA's allocator cannot forget a peak.
    """
    network = "cnn" if "cnn" in sizes.counts else next(iter(sizes.counts))
    model, count = network_on(place, network), min(FEW_SAMPLES, sizes.counts[network])
    figures: dict[str, list[float | None]] = {}
    tried: tuple[int | str, ...] = (FEW_ROWS, "auto")
    for batch_size in tried:
        found = figures[f"batch_size {batch_size}"] = []
        for steps in sizes.steps:
            given: dict[str, Any] = {"steps": steps, "batch_size": batch_size}
            made = explainer(place, "IntegratedGradients", model, **given)
            work = _work(place, made, network, count)
            work()  # what is set up once is no part of it
            found.append(place.peak(work))
    known = [(one[-2], one[-1]) for one in figures.values() if one[-1] is not None]
    flat = all(most <= GROWTH * (fewer or 0) + SLACK for fewer, most in known)
    said = "; ".join(
        f"{name}: {', '.join('-' if one is None else f'{one:.1f}' for one in found)} MiB"
        for name, found in figures.items()
    )
    numbers = ", ".join(map(str, sizes.steps))
    # A peak of the process says little: what was freed may be held.
    passed = flat if known and place.accelerated else None
    return Result(f"peak memory of {numbers} steps", passed, said, {"MiB": figures})
