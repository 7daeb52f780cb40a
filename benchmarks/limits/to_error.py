"""How long until the same error of the map? Chosen points, fixed rules, and captum, in PyTorch.

A ReLU network trained on digits, in float32; the truth are thousands of midpoints in float64. The
error to reach is that of the points polyattr chooses itself. Every fixed rule is given the fewest
points with which it gets there, which its user could not know.
"""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch

import polyattr
from limits.limit import repeated
from map_errors import Truth, truth
from polyattr.sampling import RULES
from trained_networks import RECIPES, Case, trained

MIDPOINTS = 4096
TOLERANCE = 0.01
MOST_POINTS = 1024
CAPTUM = "captum gausslegendre"
CHOSEN = f'polyattr steps="auto", tolerance {TOLERANCE:g}'

Explain = Callable[[], torch.Tensor]
Rows = list[dict[str, Any]]


def measure(samples: int, rounds: int, seconds: float, midpoints: int = MIDPOINTS) -> Rows:
    """Measures all ways on so many held-out digits, in turn, over some rounds.

    Returns:
        For each way its gradients per sample, the median error of its maps, and seconds; or why it
        is missing.
    """
    case = trained(RECIPES[0], samples)
    true = truth(case, midpoints)
    model, x = copy.deepcopy(case.model).float(), case.x.float()
    ways = dict(_own(case, true, model, x))
    missing: Rows = []
    try:
        ways |= _captum(case, true, model, x, error(true, ways[CHOSEN][1]()))
    except ImportError as reason:
        missing = [{"way": CAPTUM, "missing": f"captum cannot be imported: {reason}"}]
    took: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (_, explain) in ways.items():
            took[way].append(statistics.median(repeated(explain, seconds)))
    rows = [
        {
            "way": way,
            "gradients": gradients,
            "error": error(true, explain()),
            "seconds": statistics.median(took[way]),
        }
        for way, (gradients, explain) in ways.items()
    ]
    return rows + missing


Ways = Mapping[str, tuple[float, Explain]]
"""Gradients per sample, and the call, by what tables say."""


def error(true: Truth, values: torch.Tensor) -> float:
    """Returns the median over samples of the L1 error of the map, relative to its size."""
    off = np.abs(values.double().numpy() - true.values).sum(axis=1)
    return float(np.median(off / true.size))


def fewest(error_of: Callable[[int], float], wanted: float, least: int = 2) -> int | None:
    """Returns the fewest points with at most an error, if that falls with them; None for none."""
    enough = least
    while error_of(enough) > wanted:
        enough *= 2
        if enough > MOST_POINTS:
            return None
    few = enough // 2 if enough > least else least - 1
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if error_of(middle) <= wanted else (middle, enough)
    return enough


def _own(case: Case, true: Truth, model: Any, x: torch.Tensor) -> Iterator[Any]:
    def made(**settings: Any) -> tuple[float, Explain]:
        method = polyattr.IntegratedGradients(model, **settings)
        spent = float(method.attribute(x, case.targets).evaluations.mean())
        return spent, lambda: method.explain(x, case.targets)

    chosen = made(steps="auto", tolerance=TOLERANCE)
    wanted = error(true, chosen[1]())
    yield CHOSEN, chosen
    yield 'polyattr rule="exact"', made(rule="exact")
    yield "polyattr at its defaults", made()
    for rule in RULES:

        def missed(points: int, rule: str = rule) -> float:
            return error(true, made(steps=points, rule=rule)[1]())

        enough = fewest(missed, wanted, max(2, RULES[rule].minimum))
        if enough is not None:
            yield f"polyattr {rule}, n = {enough}", made(steps=enough, rule=rule)


def _captum(case: Case, true: Truth, model: Any, x: torch.Tensor, wanted: float) -> Ways:
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(model)

    def made(steps: int) -> Explain:
        return lambda: method.attribute(x, target=case.targets, n_steps=steps)

    ways: dict[str, tuple[float, Explain]] = {f"{CAPTUM}, n = 50 (its default)": (50, made(50))}
    enough = fewest(lambda n: error(true, made(n)()), wanted)
    if enough is not None:
        ways[f"{CAPTUM}, n = {enough}"] = (enough, made(enough))
    return ways
