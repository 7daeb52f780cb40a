"""Contribution scores of a sequence model, one file per class, for tools that look for motifs.

For models of one-hot sequences (N, L, 4) in any framework, such as Keras 3 on each of its own.
Scores are gradients on the simplex of letters; times the sequence they are those of its letters.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import polyattr
from polyattr.baselines import DinucleotideShuffle, Permutation

Array = np.ndarray[Any, Any]
MEAN_GRADIENT: dict[str, Any] = {"multiply_by_inputs": False, "tangent": "simplex"}
METHODS: dict[str, Callable[..., polyattr.Explainer]] = {
    "gradient": lambda model: polyattr.IntegratedGradients(
        model, steps=1, rule="right", **MEAN_GRADIENT
    ),
    "smooth": lambda model: polyattr.SmoothGrad(model, noise=0.1, tangent="simplex"),
    "integrated": lambda model: polyattr.IntegratedGradients(model, steps=26, **MEAN_GRADIENT),
    "expected": lambda model: polyattr.IntegratedGradients(
        model, steps=26, baseline_value=Permutation(axis=1, nb_draws=25), **MEAN_GRADIENT
    ),
    "dinucleotides": lambda model: polyattr.IntegratedGradients(
        model, steps=26, baseline_value=DinucleotideShuffle(nb_draws=25), **MEAN_GRADIENT
    ),
}


def contribution_scores(
    method: polyattr.Explainer,
    sequences: Array,
    classes: Mapping[str, int],
    folder: Path,
    together: int = 16,
) -> Array:
    """Returns scores (N, classes, L, 4) from `folder`, explaining the classes not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.npz" for name in classes}
    missing = [name for name in classes if not is_there(paths[name], method, sequences)]
    firsts = range(0, len(sequences), together)  # which bounds how many baselines there are
    batches = (sequences[first : first + together].astype(np.float32) for first in firsts)
    if missing:
        asked = polyattr.each([classes[name] for name in missing])
        maps = [np.asarray(phi) for phi in method.explain_batches(batches, asked)]
        for name, scores in zip(missing, np.concatenate(maps, axis=1), strict=True):
            kept = {"scores": scores, "sequences": sequences, "method": repr(method)}
            np.savez_compressed(part := folder / f"{name}.part.npz", **kept)
            part.replace(paths[name])  # a file that is there is whole
    return np.stack([np.load(path)["scores"] for path in paths.values()], axis=1)


def is_there(path: Path, method: polyattr.Explainer, sequences: Array) -> bool:
    """Says whether a file answers the same question; of the model it knows nothing."""
    found: Mapping[str, Array] = np.load(path) if path.exists() else {"method": np.array("")}
    same = str(found["method"]) == repr(method)
    return same and np.array_equal(found["sequences"], sequences)
