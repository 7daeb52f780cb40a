"""The points of one sample's path, what is known of its error, and which points come next."""

from __future__ import annotations

import numpy as np

from polyattr.sampling.errors.smoothness import FLOOR, KINKED, SMOOTH
from polyattr.sampling.quadrature import from_inside, quadrature
from polyattr.sampling.recipe import Array

_UNSURE = 9
_LOOSE = {5: 1.0, 9: 1.0, 17: 0.8}
"""Largest distance of nested rules, in units of what kinks would leave, at which a sample with so
few points is taken for smooth: few points are not sure of it, and with more it is `SMOOTH`."""

_AIM = 0.9
"""What is bisected is chosen to reach this share of the tolerance."""

_ALL = 0.99
"""Share of the squared jumps that intervals worth bisecting hold."""

_CUT = 0.75
"""What bisecting an interval with one kink takes off its squared error."""


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

    Args:
        inside: Where the point at 0 is taken.
        smooth: What is supposed of the path.
        doubles: Whether a smooth path goes on with twice as many points.
    """

    def __init__(self, inside: float, smooth: bool = True, doubles: bool = True) -> None:
        self.inside, self._doubles = inside, doubles
        self.at, self.alpha, self.jump = np.zeros(0), np.zeros(0), np.zeros(0)
        self.part = np.zeros(0, dtype=np.int64)
        self.score, self.slope = np.zeros(0), np.zeros(0)
        self.smooth, self.off, self.share = smooth, np.inf, 1.0
        self._needed, self._hidden = np.inf, False

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
        every = 2 if self.smooth else 1  # bisected points have no rule with half of them
        found[0, self.part] = self._weights()
        found[1, self.part[::every]] = self._weights(every)
        return found[0], found[1]

    def _weights(self, every: int = 1) -> Array:
        at = self.at[::every]
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
        most = _LOOSE.get(len(self.at), SMOOTH)
        if len(self.at) <= _UNSURE and kinks > 2 * tolerance * size:
            return False  # twice as many points are needed in any case, and show more
        if self.smooth and not moved < most * kinks and kinks > 0:
            self.smooth = False
            return True
        return False

    def state(
        self, moved: float, kinks: float, size: float, tolerance: float, missed: float
    ) -> None:
        """Notes the error of a map of this `size`; `missed` is what its sum is off at least."""
        error = kinks
        if self.smooth and kinks > 0:
            ratio = moved / kinks
            error = min(kinks, moved * min(1.0, ratio / SMOOTH) / KINKED)
        self.share = error / kinks if kinks > 0 else 1.0
        self._hidden = missed > kinks
        self.smooth = self.smooth and not self._hidden
        worst = max(error, missed)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.off = 0.0 if worst == 0 else float(np.float64(worst) / size)
        self._needed = _AIM * tolerance / self.off if self.off > 0 else np.inf

    def missed(self) -> float:
        """What the sum of the map misses of the rise along the path, beyond rounding.

        Features do not miss less. Rounding of the scores explains a little of it, and no points
        would take that away.
        """
        level = float(np.abs(self.score).max())
        return max(0.0, abs(self._gap()) - FLOOR * level)

    def _gap(self) -> float:
        return float(self._weights() @ self.slope[self.part]) - self._rise()

    def _rise(self) -> float:
        """The rise of the score, continued to both ends of the path."""
        (first, last), at = self.part[[0, -1]], self.at
        ends = at[0] * self.slope[first] + (1 - at[-1]) * self.slope[last]
        return float(self.score[last] - self.score[first] + ends)

    def bent(self) -> Array:
        """By how much the score is off a trapezoid of its slopes over each interval (P - 1,)."""
        score, slope = self.score[self.part], self.slope[self.part]
        off: Array = np.abs(np.diff(score) - np.diff(self.at) * (slope[1:] + slope[:-1]) / 2)
        return off

    def weigh(self) -> None:
        """Notes what the sum of the map misses, and where; the nearer of two rules is taken."""
        self.jump, rise = self.bent(), self._rise()
        gaps = {}
        for smooth in (True, False) if self.smooth else (False,):
            self.smooth = smooth
            gaps[smooth] = abs(self._gap())
        self.smooth = min(gaps, key=lambda smooth: gaps[smooth])
        floor = FLOOR * np.abs(self.score).max()
        with np.errstate(divide="ignore", invalid="ignore"):
            self.off = float(np.float64(gaps[self.smooth]) / max(abs(rise), floor))

    def next(self, most: int) -> Array:
        """Returns the points to add; none where there are as many as there may be."""
        count, room = len(self.at), most - len(self.at)
        if self.smooth and self._doubles:
            more = quadrature("clenshaw-curtis", 2 * count - 1)[0][1::2]
            return more if count - 1 <= room else np.zeros(0)
        # Gradients that are alike at both ends may hide a piece that only the score tells of.
        jump = self.bent() if self._hidden else self.jump
        order = np.argsort(-jump, kind="stable")
        unit = max(float(jump.max(initial=0)), 1e-300)
        squares = np.cumsum((jump[order] / unit) ** 2)
        share = squares / max(float(squares[-1]), 1e-300)
        # Intervals without a kink have nothing to gain. A gap may close with any one of them.
        left = min(_ALL, (1 - self._needed**2) / _CUT) if self._doubles else 0.0
        enough = 1 + int(np.searchsorted(share, left))
        chosen = np.sort(order[: min(enough, -(-len(order) // 2), room)])
        self.smooth = self.smooth and not len(chosen)  # bisected points are of no such rule
        return (self.at[chosen] + self.at[chosen + 1]) / 2
