"""Features that change the score though no gradient reaches them, as integers among floats do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.errors import CutGradientWarning, warn
from polyattr.question.inputs import Inputs
from polyattr.scores.targets import Targets

Array = np.ndarray[Any, Any]

_ROWS, _NUMBERS = 64, 2**20
_POINTS = (0.0, 0.03, 0.11, 0.19, 0.31, 0.42, 0.5, 0.57, 0.66, 0.74, 0.83, 0.91, 0.97, 1.0)
"""Where between two samples gradients are taken: a step has none anywhere, a ramp has one."""
_MOST_NAMED = 16
_HALVINGS = 16
"""How often the way to a change is halved: a ramp is found if it is longer than 1e-5 of it."""


def warn_of_cut(forward: Forward, inputs: Inputs, targets: Targets, values: list[Tensor]) -> bool:
    """Looks for features with no attribution in any sample whose value the score depends on.

    All of them are moved at once, from one sample's values to those of others: only values that
    the data have are tried (of a single sample half its own, which lies on its path to zero),
    since another index may be out of range. Where the score changes, and the gradient by them is
    exactly zero all the way, it steps.

    Args:
        forward: Evaluates the model.
        inputs: The samples.
        targets: What is explained.
        values: Their attributions (N, ...) per input.

    Returns:
        Whether there are any.

    Warns:
        CutGradientWarning: There are such features.
    """
    hosts, silent = _silent(forward, inputs, values)
    if not any(mask.any() for mask in silent):
        return False
    first = [host[0] for host in hosts]
    other = [_differing(host) for host in hosts]
    dtypes = [forward.backend.dtype(leaf) for leaf in inputs.leaves]
    probe = _Probe(forward, inputs, targets, dtypes)
    if not probe.steps(first, other, silent):
        return False
    moving = probe.reached(first, other, silent)
    cut = [mask & ~hit for mask, hit in zip(silent, moving, strict=True)]
    named = probe.named(first, other, cut) if probe.steps(first, other, cut) else []
    if named:
        _tell(named)
    return bool(named)


def _silent(
    forward: Forward, inputs: Inputs, values: list[Tensor]
) -> tuple[list[Array], list[Array]]:
    """Returns samples (R, ...), and which features have no attribution though they differ."""
    rows = max(2, min(_ROWS, _NUMBERS // inputs.elements))
    hosts = [_host(forward, leaf[:rows]) for leaf in inputs.leaves]
    if inputs.n == 1:
        hosts = [np.concatenate([host, host / 2]) for host in hosts]
    silent = [
        (_host(forward, value[:rows]) == 0).all(axis=0) & (host != host[:1]).any(axis=0)
        for value, host in zip(values, hosts, strict=True)
    ]
    return hosts, silent


def _host(forward: Forward, tensor: Tensor) -> Array:
    return forward.backend.to_numpy(tensor).astype(np.float64)


def _differing(host: Array) -> Array:
    """For each feature a value other than the first sample's, where a sample has one."""
    row = (host != host[:1]).argmax(axis=0)
    found: Array = np.take_along_axis(host, row[None], axis=0)[0]
    return found


class _Probe:
    """Scores and gradients of samples made from the first one of a call."""

    def __init__(
        self, forward: Forward, inputs: Inputs, targets: Targets, dtypes: list[str]
    ) -> None:
        self._forward, self._dtypes = forward, dtypes
        self._inputs, self._targets = inputs, targets

    def steps(self, first: list[Array], other: list[Array], which: list[Array]) -> bool:
        """Says whether the score changes, beyond rounding and chance, with some features moved."""
        moved = [np.where(mask, b, a) for a, b, mask in zip(first, other, which, strict=True)]
        pair = [np.stack([a, b]) for a, b in zip(first, moved, strict=True)]
        scores, again = self._scores(pair), self._scores(pair)
        size = np.abs(scores).max()
        rounding = FLOATS[self._dtypes[0]].noticeable / 10 * size
        steady = bool(np.abs(scores - again).max() <= rounding / 100)
        return steady and bool(np.abs(scores[1] - scores[0]) > rounding)

    def jumps(self, first: list[Array], other: list[Array], which: list[Array]) -> bool:
        """Says whether the score changes with some features where no gradient leads to it.

        Halves the way towards the change. A short piece that no other point lies on has a gradient.
        """
        moved = [np.where(mask, b, a) for a, b, mask in zip(first, other, which, strict=True)]
        low, high = first, moved
        for _ in range(_HALVINGS):
            middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
            slopes = self._gradients([one[None] for one in middle])
            if any((g[0][mask] != 0).any() for g, mask in zip(slopes, which, strict=True)):
                return False
            at = [np.stack(three) for three in zip(low, middle, high, strict=True)]
            left, right = np.abs(np.diff(self._scores(at)))
            low, high = (low, middle) if left >= right else (middle, high)
        return True

    def reached(self, first: list[Array], other: list[Array], which: list[Array]) -> list[Array]:
        """Says for each feature whether a gradient reaches it anywhere on the way."""
        hits = [np.zeros(a.shape, dtype=bool) for a in first]
        for at in _POINTS:
            place = [
                np.where(mask, a + at * (b - a), a)[None]
                for a, b, mask in zip(first, other, which, strict=True)
            ]
            for hit, gradient in zip(hits, self._gradients(place), strict=True):
                hit |= gradient[0] != 0
        return hits

    def named(self, first: list[Array], other: list[Array], which: list[Array]) -> list[str]:
        """Names the features that change the score by themselves, and have no gradient there."""
        places = [
            (leaf, tuple(int(i) for i in place))
            for leaf, mask in enumerate(which)
            for place in np.argwhere(mask)
        ]
        found = []
        for leaf, place in places[:_MOST_NAMED]:
            only = [np.zeros(mask.shape, dtype=bool) for mask in which]
            only[leaf][place] = True
            if self.steps(first, other, only) and self.jumps(first, other, only):
                name = self._inputs.layout.names[leaf]
                found.append(f"{name}[:, {', '.join(map(str, place))}]")
        return found

    def _scores(self, rows: list[Array]) -> Array:
        leaves, beside, goals = self._made(rows)
        found = self._forward.scores(leaves, beside, self._targets.rule, goals, None)
        return found.astype(np.float64)

    def _gradients(self, rows: list[Array]) -> list[Array]:
        leaves, beside, goals = self._made(rows)
        scorer, rule, layout = self._forward.scorer, self._targets.rule, self._inputs.layout
        state, context = scorer.bound.state(), beside.context(goals)
        found = self._forward.backend.grad(
            lambda points: scorer.score(layout, rule, state, points, context), leaves
        )[1]
        return [
            np.zeros(row.shape) if g is None else self._forward.backend.to_numpy(g)
            for g, row in zip(found, rows, strict=True)
        ]

    def _made(self, rows: list[Array]) -> tuple[list[Tensor], Inputs, list[Tensor]]:
        """Makes rows native, beside what belongs to the first sample."""
        backend, inputs, count = self._forward.backend, self._inputs, len(rows[0])
        index = np.zeros(count, dtype=np.int32)

        def repeated(tensors: list[Tensor]) -> list[Tensor]:
            return [backend.batch(t, backend.to_native(index, t)) for t in tensors]

        leaves = [
            backend.to_native(row, like, kind)
            for row, like, kind in zip(rows, inputs.leaves, self._dtypes, strict=True)
        ]
        beside = replace(inputs, leaves=leaves, n=count, companions=repeated(inputs.companions))
        return leaves, beside, repeated(self._targets.columns)


def _tell(named: list[str]) -> None:
    shown = ", ".join(named[:8]) + (", ..." if len(named) > 8 else "")
    warn(
        f"the score changes with {shown}, but its gradient by them is zero everywhere between two "
        f"samples: no gradient reaches them, and they have zero attribution. Does the model cast "
        f"them to integers, round, compare or detach them? Pass what it looks up as an input of "
        f"its own, of an integer dtype, and attribute to its embedding with input_layer",
        CutGradientWarning,
    )
