"""What stands beside the limit: polyattr at its defaults, peers at theirs and at their best.

Each way is a call without arguments that ends when its values are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

import polyattr
from limits.frameworks import bare, models
from limits.limit import FREE_MIB, repeated, tiles
from limits.workloads import MODELS, Cell, inputs, targets

Call = Callable[[], Any]

PEERS = {"torch": "captum", "tensorflow": "xplique"}
"""The peer of a framework; JAX has none."""

DRAWS = (1, 5, 10, 25, 50)
"""Noisy copies of all samples per call that captum is tried with."""


def explainer(framework: str, cell: Cell, model: Any = None) -> Any:
    """Makes the method of a cell as a user does, for its own model or another one."""
    model = models(framework).build(cell.model) if model is None else model
    return getattr(polyattr, cell.method)(model, **cell.settings)


def polyattr_ways(framework: str, cell: Cell) -> tuple[dict[str, Call], int]:
    """Returns the calls, and how many gradient rows each evaluates."""
    x = models(framework).native(inputs(cell.model, cell.samples))
    classes, method = targets(cell.model, cell.samples), explainer(framework, cell)
    wait = bare(framework).wait
    rows = int(np.sum(method.attribute(x, classes).evaluations))
    return {
        "explain": lambda: wait(method.explain(x, classes)),
        "attribute": lambda: wait(method.attribute(x, classes).values),
    }, rows


def peer_ways(
    framework: str, cell: Cell, seconds: float, wanted: bool = True
) -> tuple[dict[str, Call], dict[str, str]]:
    """Returns the calls of the peer, and why one that might be there is not, by its name."""
    name = PEERS.get(framework)
    if name is None or not wanted:
        return {}, {}
    best = f"{name} best"
    try:
        candidates = _captum(cell) if name == "captum" else _xplique(cell)
    except ImportError as error:
        reason = f"{name} cannot be imported: {error}"
        return {}, {name: reason, best: reason}
    ways, missing = {}, {}
    rows = _rows(cell)
    if name == "captum" and not _fits(cell, rows):  # xplique's default are 32 rows
        missing[name] = f"sends {rows} rows in one call, which would not fit into memory"
    else:
        ways[name] = candidates[None]
    tried = [call for size, call in candidates.items() if size is not None]
    if tried:
        ways[best] = _fastest(tried, seconds)
    elif name in ways:
        missing[best] = "it has no setting that matters here"
    return ways, missing


def _rows(cell: Cell) -> int:
    return cell.samples * next(iter(cell.settings.values()), 1)


def _fits(cell: Cell, rows: int) -> bool:
    return rows * MODELS[cell.model].row_mib <= FREE_MIB


def _fastest(tried: Sequence[Call], seconds: float) -> Call:
    def least(call: Call) -> float:
        call()
        return min(repeated(call, seconds))

    return min(tried, key=least)


def _captum(cell: Cell) -> Mapping[int | None, Call]:
    """Returns the calls by the size they are given; None is the default."""
    import torch
    from captum import attr

    model: Any = models("torch").build(cell.model)
    x = models("torch").native(inputs(cell.model, cell.samples))
    classes = torch.from_numpy(targets(cell.model, cell.samples))
    if cell.method == "GradientInput":
        return {None: partial(attr.InputXGradient(model).attribute, x, target=classes)}
    if cell.method == "IntegratedGradients":
        path = partial(attr.IntegratedGradients(model).attribute, x, target=classes)
        # It raises smaller sizes to N, with a warning.
        sizes = {max(size, cell.samples) for size in tiles(cell.model, _rows(cell))}
        return {
            size: partial(path, n_steps=cell.settings["steps"], internal_batch_size=size)
            for size in [None, *sorted(sizes - {_rows(cell)})]
        }
    tunnel = attr.NoiseTunnel(attr.Saliency(model))
    draws = cell.settings["nb_samples"]
    noisy = partial(tunnel.attribute, x, nt_samples=draws, target=classes, abs=False)
    fitting = [size for size in DRAWS if size < draws and _fits(cell, size * cell.samples)]
    return {size: partial(noisy, nt_samples_batch_size=size) for size in [None, *fitting]}


def _xplique(cell: Cell) -> Mapping[int | None, Call]:
    """Returns the calls by the rows per call they are given; None is the default."""
    import warnings

    import tensorflow as tf

    with warnings.catch_warnings():  # of TensorFlow Probability, which it imports
        warnings.simplefilter("ignore")
        from xplique import attributions
    model = models("tensorflow").build(cell.model)
    x = models("tensorflow").native(inputs(cell.model, cell.samples))
    labels = tf.one_hot(targets(cell.model, cell.samples), MODELS[cell.model].classes)
    kind = getattr(attributions, cell.method)
    sizes = tiles(cell.model, _rows(cell))
    # Its default is 32: fewer are tried only where no more would fit.
    tried = [size for size in sizes if size > 32] or sizes[-2:]
    calls: dict[int | None, Call] = {None: partial(kind(model, **cell.settings).explain, x, labels)}
    for size in tried:
        calls[size] = partial(kind(model, batch_size=size, **cell.settings).explain, x, labels)
    return calls
