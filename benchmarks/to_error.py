"""How many gradients until the same error of the map? Points polyattr chooses, fixed rules, captum.

    python benchmarks/to_error.py --out to_error.json
    python benchmarks/to_error.py --show to_error.json

Counts, and times nothing, so that a busy machine gives the same. Networks trained on digits, 200
that were held out, in float32; the error of a map is its L1 distance from the true one relative to
the size of that, and of a way the median over the samples. Integrals: the truth are thousands of
midpoints in float64, the error to reach is that of `steps="auto"` with a tolerance, and every fixed
rule, captum's among them, gets the fewest points with which it gets there, which its user could not
know. Noise: the truth are many antithetic pairs of other draws, the error to reach that of 50
gradients in pairs, and independent draws, as captum and xplique take them, get as many as they
need.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import polyattr
from limits.to_error import error, fewest
from map_errors import Truth, truth
from polyattr.sampling import RULES
from trained_networks import RECIPES, Case, trained

MIDPOINTS, PAIRS, DRAWS = 4096, 4096, 50
TOLERANCES = (0.01, 0.002)
NETWORKS = ("MLP 2 x 256 ReLU", "MLP 6 x 128 ReLU", "CNN 4 conv ReLU")
Rows = list[dict[str, Any]]


def integrals(case: Case) -> Iterator[dict[str, Any]]:
    """Counts the gradients of a sample that ways of integrating take, for each tolerance."""
    true = truth(case, MIDPOINTS)
    model, x = copy.deepcopy(case.model).float(), case.x.float()

    def found(**settings: Any) -> Any:
        return polyattr.IntegratedGradients(model, **settings).attribute(x, case.targets)

    usual = {"polyattr, steps=50": error(true, found().values)}
    fixed = {rule: _of_rule(true, found, rule) for rule in RULES}
    captum = _captum(case, model, x)
    if captum is not None:
        usual["captum, n_steps=50"] = error(true, captum(50))
        fixed["captum gausslegendre"] = lambda points: error(true, captum(points))
    for tolerance in TOLERANCES:
        chosen = found(steps="auto", tolerance=tolerance)
        wanted = error(true, chosen.values)
        needed = {
            rule: fewest(of_points, wanted, RULES[rule].minimum if rule in RULES else 2)
            for rule, of_points in fixed.items()
        }
        yield {
            "network": case.network,
            "method": f"IG, tolerance {tolerance:g}",
            "error": wanted,
            "own": float(chosen.evaluations.mean()),
            "needed": needed,
            "usual": usual,
        }


def _of_rule(true: Truth, found: Callable[..., Any], rule: str) -> Callable[[int], float]:
    return lambda points: error(true, found(steps=points, rule=rule).values)


def _captum(case: Case, model: Any, x: torch.Tensor) -> Callable[[int], torch.Tensor] | None:
    try:
        from captum.attr import IntegratedGradients
    except ImportError:
        return None
    method = IntegratedGradients(model)

    def map_of(points: int) -> torch.Tensor:
        # As many rows at a time as fit into memory.
        values: torch.Tensor = method.attribute(
            x, target=case.targets, n_steps=points, internal_batch_size=max(1024, len(x))
        )
        return values.detach()

    return map_of


def noise(case: Case) -> Iterator[dict[str, Any]]:
    """Counts the gradients of a sample that SmoothGrad takes, in pairs and one by one."""
    model, x = copy.deepcopy(case.model).float(), case.x.float()

    def found(draws: int, seed: int, *, antithetic: bool) -> torch.Tensor:
        method = polyattr.SmoothGrad(model, nb_samples=draws, seed=seed, antithetic=antithetic)
        values: torch.Tensor = method.explain(x, case.targets)
        return values

    true = Truth(found(2 * PAIRS, 1, antithetic=True).double().numpy(), 2 * PAIRS, float("nan"))

    def missed(draws: int, *, antithetic: bool = False) -> float:
        # All samples of a call share their draws: one set of them may be lucky.
        maps = (found(draws, seed, antithetic=antithetic) for seed in range(2, 6))
        return float(np.mean([error(true, values) for values in maps]))

    wanted = missed(DRAWS, antithetic=True)
    yield {
        "network": case.network,
        "method": f"SmoothGrad, {DRAWS} in pairs",
        "error": wanted,
        "own": float(DRAWS),
        "needed": {"independent draws": fewest(missed, wanted)},
        "usual": {"5 draws (captum)": missed(5), "50 draws (xplique)": missed(50)},
    }


def measure(samples: int) -> Iterator[dict[str, Any]]:
    """Measures all networks."""
    for recipe in RECIPES:
        if recipe.name in NETWORKS and recipe.data.__name__ == "digits":
            case = trained(recipe, samples)
            yield from integrals(case)
            yield from noise(case)


def table(rows: Rows) -> str:
    """Writes the gradients per sample as a table in Markdown."""
    lines = [
        "| network | method | error | polyattr | others, for that error | error of defaults |",
        "| --- | --- | ---: | ---: | --- | --- |",
    ]
    for row in rows:
        needed = (f"{way} {'> 1024' if n is None else n}" for way, n in row["needed"].items())
        usual = (f"{way}: {found:.4f}" for way, found in row["usual"].items())
        cells = row["network"], row["method"], f"{row['error']:.4f}", f"{row['own']:.0f}"
        lines.append("| " + " | ".join([*cells, ", ".join(needed), ", ".join(usual)]) + " |")
    return "\n".join(lines)


def main(given: Sequence[str]) -> None:
    """Measures, writes and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write what is counted to this JSON file")
    parser.add_argument("--show", type=Path, help="count nothing: print the table of such a file")
    parser.add_argument("--samples", type=int, default=200, help="held-out digits (default 200)")
    asked = parser.parse_args(given)
    if asked.show is not None:
        print(table(json.loads(asked.show.read_text(encoding="utf-8"))))
        return
    warnings.simplefilter("ignore", polyattr.PolyattrWarning)  # of what has not converged
    rows: Rows = []
    for row in measure(asked.samples):
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
        if asked.out is not None:
            asked.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
