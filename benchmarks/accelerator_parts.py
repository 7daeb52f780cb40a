"""What is measured on a device: time beside bare gradients, peak memory, answers beside a CPU's."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

import polyattr
from accelerator_networks import classes, network_on, pairs, samples, tiles
from accelerator_places import CPU, Array, Place
from accelerator_sizes import Result, Sizes

K = TypeVar("K")

TOLERANCE = 1e-4
"""Of the largest entry of a map: float32, other orders of sums, and a kink now and then."""

GROWTH, SLACK = 1.25, 1.0
"""By what factor, and how many MiB, the peak of the most steps may exceed that of a tenth of them:
a score and two weights are kept of each step."""

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
    for network in sizes.counts:
        model = network_on(place, network)
        for name, settings in methods(sizes).items():
            points = 1 if name == "GradientInput" else sizes.points
            bare = _bare(place, network, model, points, sizes)
            best = _fastest(_rounds(bare, sizes.seconds))
            works = {"bare": bare[best]}
            tried: dict[str, int | str] = {"auto": "auto", "best": best}
            for label, size in tried.items():
                made = explainer(place, name, model, batch_size=size, **settings)
                works[label] = _work(place, made, network, sizes.counts[network])
            found = _compared(_rounds(works, sizes.seconds))
            figures[f"{network} {name}"] = {"tile": best, **found}
    said = "; ".join(
        f"{cell} {found['auto']:.2f} ({found['best']:.2f} at tiles of {found['tile']})"
        for cell, found in figures.items()
    )
    return Result("ratio to the bare gradient", None, said, figures)


def _bare(
    place: Place, network: str, model: Any, points: int, sizes: Sizes
) -> dict[int, Callable[[], object]]:
    """The gradients of all rows, by the size of the tiles they come in."""
    count = sizes.counts[network]
    rows, labels = samples(place, network, count, points), place.put(classes(count, points))
    gradient = place.gradient(model)

    def all_of(parts: Sequence[tuple[Any, Any]]) -> None:
        for part in parts:
            found = gradient(*part)
        place.finish(found)

    cut = {size: pairs(rows, labels, size) for size in tiles(count * points, sizes.splits)}
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


# -- answers --------------------------------------------------------------------------------------


def answers(place: Place, sizes: Sizes) -> Result:
    """Maps and scores are the CPU's: the networks, with products of float32 on both."""
    figures = {}
    for network in sizes.counts:
        for name, settings in methods(sizes).items():
            found, wanted = (
                _answer(where, network, name, settings, sizes.counts[network])
                for where in (place, type(place)(CPU))
            )
            off = [apart(one, other) for one, other in zip(found, wanted, strict=True)]
            figures[f"{network} {name}"] = dict(zip(("map", "scores"), off, strict=True))
    worst = max(off for found in figures.values() for off in found.values())
    said = f"off by {worst:.1e} of the largest entry at most, allowed is {TOLERANCE:.0e}"
    return Result("answers beside the CPU's", bool(worst <= TOLERANCE), said, figures)


def _answer(
    place: Place, network: str, name: str, settings: dict[str, Any], count: int
) -> tuple[Array, Array]:
    with place.exact(), place.within():
        made = explainer(place, name, network_on(place, network), **settings)
        result = made.attribute(samples(place, network, count), classes(count))
        return place.host(result.values), np.asarray(result.scores)
