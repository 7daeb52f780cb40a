"""Maps and scores beside those of a CPU."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from accelerator_networks import classes, network_on, samples
from accelerator_parts import TOLERANCE, apart, explainer, methods
from accelerator_places import CPU, Array, Place
from accelerator_sizes import Result, Sizes

CLOSE, KINKED = 0.75, 2e-2
"""So many of the samples have to be as close as rounding leaves them. At one of 50 points of a few
others the input of a ReLU lies between the two devices' roundings: its gradient is 0 on one of them
alone, and the map of that sample follows by that one point's weight, as docs/consistency.md has it
between frameworks."""


def answers(place: Place, sizes: Sizes) -> Result:
    """Maps and scores are the CPU's: the networks, with products of float32 on both."""
    figures = {}
    for network, count in sizes.counts.items():
        for name, settings in methods(sizes).items():
            found, wanted = (
                _answer(where, network, name, settings, count)
                for where in (place, type(place)(CPU))
            )
            figures[f"{network} {name}"] = compared(found, wanted)
    passed = all(off["close"] <= TOLERANCE and off["all"] <= KINKED for off in figures.values())
    passed = passed and all(off["scores"] <= TOLERANCE for off in figures.values())
    close, every = (max(off[kind] for off in figures.values()) for kind in ("close", "all"))
    beyond = sum(off["kinked"] for off in figures.values())
    said = (
        f"maps off by {close:.1e} of a sample's largest entry in {CLOSE:.0%} of the samples of "
        f"each cell, allowed is {TOLERANCE:.0e}; by {every:.1e} in all of them, allowed is "
        f"{KINKED:.0e}; {beyond} samples beyond {TOLERANCE:.0e}"
    )
    return Result("answers beside the CPU's", passed, said, figures)


def compared(found: tuple[Array, Array], wanted: tuple[Array, Array]) -> dict[str, Any]:
    """How far maps (N, ...) are off, and scores (N,).

    Returns:
        "close": what no more than a tenth of the samples exceeds, as a part of their largest entry;
        "all": what none does; "kinked": how many are beyond the tolerance; "scores".
    """
    maps, others = (one[0].reshape(len(one[0]), -1) for one in (found, wanted))
    largest = np.abs(others).max(axis=1)
    off = np.sort(np.abs(maps - others).max(axis=1) / np.where(largest > 0, largest, 1.0))
    return {
        "close": float(off[math.ceil(CLOSE * len(off)) - 1]),
        "all": float(off[-1]),
        "kinked": int((off > TOLERANCE).sum()),
        "scores": apart(found[1], wanted[1]),
    }


def _answer(
    place: Place, network: str, name: str, settings: dict[str, Any], count: int
) -> tuple[Array, Array]:
    with place.exact(), place.within():
        made = explainer(place, name, network_on(place, network), **settings)
        result = made.attribute(samples(place, network, count), classes(count))
        return place.host(result.values), np.asarray(result.scores)
