"""The points of one sample's path, what is known of its error, and which points come next."""

from __future__ import annotations

import numpy as np

from polyattr.sampling.quadrature import from_inside, quadrature
from polyattr.sampling.recipe import Array

MEAN_OF_NORMAL = float(np.sqrt(2 / np.pi))

_UNSURE = 9
_SMOOTH = {5: 1.0, 9: 1.0, 17: 0.8}
_ALWAYS_SMOOTH = 0.6
"""Largest distance of nested rules, in units of what kinks would leave, at which a sample is taken
for smooth, by its number of nodes: 0.9 - 2.2 on ReLU networks. Few nodes are not sure of it."""

_KINKED = 1.5
"""How many times the distance to a rule with half the nodes exceeds the error, at least."""

_AIM = 0.9
"""What is bisected is chosen to reach this share of the tolerance."""

_ALL = 0.99
_CUT = 0.75
"""What bisecting an interval with one kink takes off its squared error."""

GAP_FLOOR = 1e-3
"""Smallest rise that a gap is relative to, as a fraction of the largest score on the path."""


class OnePath:
    """The points of one sample, in the order of the path.

    Attributes:
        at: (P,) where they are taken.
        alpha: (P,) the same, 0 at the start.
        part: (P,) which part holds the gradient.
        jump: (P - 1,) what the gradient moves between two of them, summed, times their distance;
            NaN where it is not known yet. With "gap" what the trapezoid misses there.
        smooth: Whether the rule is that of Clenshaw & Curtis.
        off: Relative error.
        share: What part of the error that kinks would leave is taken for the true one.
    """

    def __init__(self, inside: float) -> None:
        self.inside = inside
        self.at, self.alpha, self.jump = np.zeros(0), np.zeros(0), np.zeros(0)
        self.part = np.zeros(0, dtype=np.int64)
        self.score, self.slope = np.zeros(0), np.zeros(0)
        self.smooth, self.off, self.share = True, np.inf, 1.0
        self._needed = np.inf

    def add(self, alpha: Array) -> Array:
        """Adds points; returns their parts."""
        first = len(self.at)
        part = np.arange(first, first + len(alpha))
        at = np.where(alpha == 0, self.inside, alpha)
        order = np.argsort(np.concatenate([self.at, at]), kind="stable")
        known = dict(zip(zip(self.part[:-1], self.part[1:], strict=True), self.jump, strict=True))
        self.at = np.concatenate([self.at, at])[order]
        self.alpha = np.concatenate([self.alpha, alpha])[order]
        self.part = np.concatenate([self.part, part])[order]
        pairs = zip(self.part[:-1], self.part[1:], strict=True)
        self.jump = np.array([known.get(pair, np.nan) for pair in pairs])
        return part

    def hear(self, scores: Array, slopes: Array) -> None:
        """Takes up what the points added last have told, in the order of their parts."""
        self.score = np.concatenate([self.score, scores.astype(np.float64)])
        self.slope = np.concatenate([self.slope, slopes.astype(np.float64)])

    def rules(self, parts: int) -> tuple[Array, Array]:
        """Returns the weights (G,) of the rule, and of the one with half the points."""
        found = np.zeros((2, parts))
        found[0, self.part] = self._weights(slice(None))
        found[1, self.part[:: 2 if self.smooth else 1]] = self._weights(
            slice(None, None, 2 if self.smooth else 1)
        )
        return found[0], found[1]

    def _weights(self, which: slice) -> Array:
        at = self.at[which]
        if self.smooth:
            nodes, weights = quadrature("clenshaw-curtis", len(at))
            return from_inside(nodes, weights, self.inside, len(at))
        weights, width, before = np.zeros(len(at)), np.diff(at), self._before()
        weights[:-1] += before * width
        weights[1:] += (1 - before) * width
        weights[0] += at[0]
        weights[-1] += 1 - at[-1]
        return weights

    def _before(self) -> Array:
        """Returns which share of each interval has the gradient of its start (P - 1,).

        Half of it, by the trapezoid. Were there one kink in it, the scores at both ends would tell
        where: halfway to that place is nearer on networks with kinks, however many.
        """
        score, slope, width = self.score[self.part], self.slope[self.part], np.diff(self.at)
        with np.errstate(all="ignore"):
            place = (np.diff(score) / width - slope[1:]) / (slope[:-1] - slope[1:])
        told = np.isfinite(place) & (place > 0) & (place < 1)
        return np.where(told, 0.25 + place / 2, 0.5)

    def decide(self, moved: float, kinks: float, size: float, tolerance: float) -> bool:
        """Says whether the path turns out not to be smooth now."""
        most = _SMOOTH.get(len(self.at), _ALWAYS_SMOOTH)
        if len(self.at) <= _UNSURE and kinks > 2 * tolerance * size:
            return False  # twice as many points are needed in any case, and show more
        if self.smooth and not moved < most * kinks and kinks > 0:
            self.smooth = False
            return True
        return False

    def state(self, moved: float, kinks: float, size: float, tolerance: float) -> None:
        """Notes the error of a map of this `size`, and what it may be."""
        error = kinks
        if self.smooth and kinks > 0:
            ratio = moved / kinks
            error = min(kinks, moved * min(1.0, ratio / _ALWAYS_SMOOTH) / _KINKED)
        self.share = error / kinks if kinks > 0 else 1.0
        # What the sum of the map misses is no more than what its features do.
        worst = np.maximum(error, abs(self._missed()))
        with np.errstate(divide="ignore", invalid="ignore"):
            self.off = 0.0 if worst == 0 else float(worst / size)
        self._needed = _AIM * tolerance / self.off if self.off > 0 else np.inf

    def _missed(self) -> float:
        """What the sum of the map misses of the rise from the start of the path, beyond rounding.

        Rounding of the scores explains a little of it, and no points would take that away.
        """
        score, slope = self.score[self.part], self.slope[self.part]
        rise = score[-1] - score[0] + self.at[0] * slope[0] + (1 - self.at[-1]) * slope[-1]
        gap = abs(float(self._weights(slice(None)) @ slope - rise))
        return max(0.0, gap - GAP_FLOOR * float(np.abs(score).max()))

    def weigh(self) -> None:
        """Notes what the sum of the map misses, and where; the nearer of two rules is taken."""
        score, slope = self.score[self.part], self.slope[self.part]
        width = np.diff(self.at)
        missed = np.diff(score) - width * (slope[1:] + slope[:-1]) / 2
        self.jump = np.abs(missed)
        rise = score[-1] - score[0] + self.inside * slope[0]
        floor = GAP_FLOOR * np.abs(score).max()
        gaps = {}
        for smooth in (True, False) if self.smooth else (False,):
            self.smooth = smooth
            gaps[smooth] = abs(self._weights(slice(None)) @ slope - rise)
        self.smooth = min(gaps, key=lambda smooth: gaps[smooth])
        with np.errstate(divide="ignore", invalid="ignore"):
            self.off = float(np.float64(gaps[self.smooth]) / max(abs(rise), floor))

    def next(self, most: int) -> Array:
        """Returns the points to add; none where there are as many as there may be."""
        count, room = len(self.at), most - len(self.at)
        if self.smooth and self._needed < np.inf:
            more = quadrature("clenshaw-curtis", 2 * count - 1)[0][1::2]
            return more if count - 1 <= room else np.zeros(0)
        self.smooth = False
        order = np.argsort(-self.jump, kind="stable")
        unit = max(float(self.jump.max(initial=0)), 1e-300)
        squares = np.cumsum((self.jump[order] / unit) ** 2)
        share = squares / max(float(squares[-1]), 1e-300)
        # Intervals without a kink have nothing to gain.
        enough = 1 + int(np.searchsorted(share, min(_ALL, (1 - self._needed**2) / _CUT)))
        chosen = np.sort(order[: min(enough, -(-len(order) // 2), room)])
        return (self.at[chosen] + self.at[chosen + 1]) / 2
