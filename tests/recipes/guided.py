"""A path that follows the gradient, on public names alone, and the same by hand in NumPy.

In the manner of Guided Integrated Gradients (Kapishnikov et al. 2021, arXiv 2106.09788): features
whose gradient is small move first, so that the path keeps away from where gradients are large.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import polyattr


@dataclass(frozen=True)
class GuidedPath(polyattr.Recipe):
    """From baseline to input in `moves`; features below the mean gradient move twice as fast."""

    origin: ClassVar = "baseline"
    sequential: ClassVar = True
    complete: ClassVar = True
    moves: int = 8

    def table(self, n):
        turns = np.arange(self.moves + 1)
        # What is left to go is shared among the moves that are left; the last one goes all of it.
        share = 1.0 / np.maximum(self.moves - turns, 1)
        rows = polyattr.Rows.over(n, weight=np.ones(len(turns)), turn=turns, alpha=share)
        order = np.argsort(rows.turn, kind="stable")
        return rows.take(order)

    def at_input(self, rows):
        return np.zeros(len(rows), dtype=bool)

    def start(self, backend, x, baseline):
        """The point, the input, and the move that led to the point: none yet."""
        return x * 0 + baseline, x, x * 0

    def place(self, backend, at):
        point, _, move = at.carry
        return point, move

    def step(self, backend, rows, scores, gradients, flow, carry):
        size = [backend.absolute(g) for g in gradients]
        features = sum(int(np.prod(g.shape[1:])) for g in gradients)
        mean = sum(backend.row_sums(s) for s in size) / features
        after = []
        for s, (point, x, _) in zip(size, carry, strict=True):
            kind = backend.dtype(x)
            fast = backend.cast(s <= backend.column(mean, s), kind)
            share = backend.column(backend.cast(rows.alpha, kind), x)
            last = backend.cast(share == 1.0, kind)
            share = share * (1 - last) * (0.5 + fast) + last
            move = (x - point) * share
            after.append((point + move, x, move))
        return flow, after


class Guided(polyattr.Explainer):
    """The gradient summed along the guided path, each with the move that led there."""

    moves: int = 8
    baseline_value: object = 0.0

    def recipe(self):
        return GuidedPath(moves=self.moves)


@dataclass(frozen=True)
class ImpatientPath(GuidedPath):
    """The same path, whose samples leave after `few` moves if their score is below `least`.

    They are sent from point to point by the host, which looks at each round's scores.
    """

    few: int = 3
    least: float = 0.0

    def rounds(self, n, norm):
        whole = self.table(n)
        live = np.arange(n)
        for turn in range(self.moves + 1):
            told = yield whole.take(
                np.flatnonzero((whole.turn == turn) & np.isin(whole.sample, live))
            )
            if turn == self.few:
                live = live[told.scores >= self.least]
                if not len(live):
                    break
        return polyattr.Weights(np.ones(1))


class Impatient(Guided):
    """`Guided`, some of whose samples finish before others."""

    few: int = 3
    least: float = 0.0

    def recipe(self):
        return ImpatientPath(moves=self.moves, few=self.few, least=self.least)


def guided_by_hand(gradient, x, baseline, moves, until=None):
    """The path's points (moves + 1, N, F) and the attributions (N, F).

    Args:
        gradient: Maps points (N, F) to gradients.
        x: The inputs (N, F).
        baseline: Where paths start, (N, F).
        moves: How many the whole path has.
        until: The last move whose gradient is added; all if None.
    """
    point, move, total, points = baseline + 0 * x, 0 * x, 0 * x, []
    for turn in range((moves if until is None else until) + 1):
        points.append(point)
        g = gradient(point)
        total = total + g * move
        left = max(moves - turn, 1)
        fast = np.abs(g) <= np.abs(g).mean(axis=1, keepdims=True)
        share = np.where(left == 1, 1.0, (0.5 + fast) / left)
        move = (x - point) * share
        point = point + move
    return np.array(points), total
