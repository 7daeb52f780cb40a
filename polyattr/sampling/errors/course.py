"""What the scores along a path tell, for free, about the integral of its slopes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from polyattr.sampling.rows import Rows

Array = np.ndarray[Any, Any]

_NEAR = 0.4
"""How far beyond the last two nodes, in units of their distance, a cubic is still to be trusted:
as far as the rules of Gauss leave their ends. A kink between the two is magnified by it."""


class Course(NamedTuple):
    """How the score goes along a path; the mean, where a sample has several paths.

    Attributes:
        rise: (N,) from the start of the path to its end, f(x) - f(b).
        travel: (N,) all that it moves, up and down, on the way.
        level: (N,) the largest score on the way, without its sign.

    Example:
        >>> from polyattr.sampling import Course
        >>> Course._fields
        ('rise', 'travel', 'level')
    """

    rise: Array
    travel: Array
    level: Array


class Walk:
    """Follows the scores of all samples along their paths, as their rows come; this one nothing."""

    def add(self, scores: Array, slopes: Array) -> None:
        """Takes up the `scores` (R,) and `slopes` (R,) of the next rows, in their order."""

    def course(self) -> Course | None:
        """Returns what the rows so far tell; None where that is nothing."""
        return None


class NodesWalk(Walk):
    """Follows paths that all visit the same points, without keeping what was told there.

    Args:
        nodes: (P,) the points, ascending fractions of the path.
        paths: How many paths a sample has, one after the other.
        samples: How many samples there are, N; they run fastest.
    """

    def __init__(self, nodes: Array, paths: int, samples: int) -> None:
        self._nodes, self._paths, self._samples = nodes, paths, samples
        self._rest = np.zeros((2, 0))
        self._sums = np.zeros((3, samples))
        self._begin()

    def _begin(self) -> None:
        """Begins a path."""
        self._visited, self._travel = 0, np.zeros(self._samples)
        self._level = np.zeros(self._samples)
        self._head = self._tail = np.zeros((2, 0, self._samples))

    def add(self, scores: Array, slopes: Array) -> None:
        """Goes on by the rows of whole points; what is left waits for the next."""
        told = np.concatenate([self._rest, np.stack([scores, slopes])], axis=1)
        whole = told.shape[1] // self._samples
        points = told[:, : whole * self._samples].reshape(2, whole, self._samples)
        self._rest = told[:, whole * self._samples :]
        while points.shape[1]:
            left = len(self._nodes) - self._visited
            self._along(points[:, :left].astype(np.float64))
            points = points[:, left:]

    def _along(self, told: Array) -> None:
        with np.errstate(all="ignore"):  # as in `course`
            stops = np.concatenate([self._tail[0, -1:], told[0]])
            self._travel += np.abs(np.diff(stops, axis=0)).sum(axis=0)
            self._level = np.maximum(self._level, np.abs(told[0]).max(axis=0))
            self._head = np.concatenate([self._head, told], axis=1)[:, :2]
            self._tail = np.concatenate([self._tail, told], axis=1)[:, -2:]
            self._visited += told.shape[1]
            if self._visited == len(self._nodes):
                self._end()

    def _end(self) -> None:
        """Continues a path to both its ends."""
        head, tail = self._head[:, ::-1], self._tail
        start = _beyond(self._nodes[1::-1], head[0], head[1], 0.0)
        end = _beyond(self._nodes[-2:], tail[0], tail[1], 1.0)
        beyond = np.abs(self._head[0, 0] - start) + np.abs(end - self._tail[0, -1])
        level = np.maximum(self._level, np.maximum(np.abs(start), np.abs(end)))
        self._sums += np.stack([end - start, self._travel + beyond, level])
        self._begin()

    def course(self) -> Course:
        """Returns the means over the paths of each sample."""
        return Course(*(self._sums / self._paths))


def course(nodes: Array, scores: Array, slopes: Array) -> Course:
    """Returns how the score goes along paths on which the same points are known.

    Args:
        nodes: (P,) the points, ascending fractions of the path; to its ends it is continued.
        scores: (K, P, N) scores there, on K paths of each sample.
        slopes: (K, P, N) their derivatives by the fraction of the path.
    """
    scores, slopes = (a.transpose(1, 0, 2).astype(np.float64) for a in (scores, slopes))
    with np.errstate(all="ignore"):  # what is not finite tells nothing, and is reported elsewhere
        start = _beyond(nodes[::-1], scores[::-1], slopes[::-1], 0.0)
        end = _beyond(nodes, scores, slopes, 1.0)
        stops = np.concatenate([start[None], scores, end[None]])
        travel = np.abs(stops[1:] - stops[:-1]).sum(axis=0)
        each = (end - start, travel, np.abs(stops).max(axis=0))
        if len(start) == 1:  # one path of each sample, the usual case, costs as little as it can
            return Course(each[0][0], each[1][0], each[2][0])
        return Course(*(values.mean(axis=0) for values in each))


def ragged_course(
    rows: Rows[Array], scores: Array, slopes: Array, paths: int, inside: float
) -> Course:
    """Returns how the score goes along paths that all have both ends among their own points.

    Args:
        rows: The points, with the sample and alpha of each, in any order.
        scores: (R,) scores there.
        slopes: (R,) their derivatives.
        paths: How many paths a sample has, K.
        inside: Where the points at alpha = 0 are taken.
    """
    alpha: Any = rows.alpha
    path = rows.sample * paths + (0 if rows.reference is None else rows.reference)
    order = np.lexsort((alpha, path))
    path, scores, slopes = path[order], scores[order].astype(np.float64), slopes[order]
    first = np.flatnonzero(np.diff(path, prepend=-1))
    last = np.append(first[1:], len(path)) - 1
    with np.errstate(all="ignore"):
        # A move into the first point of a path would come from the last of another.
        moves = np.abs(np.diff(scores, prepend=0.0))
        moves[first] = 0.0
        start = scores[first] - inside * slopes[first].astype(np.float64)
        each = (
            scores[last] - start,
            np.add.reduceat(moves, first),
            np.maximum.reduceat(np.abs(scores), first),
        )
        return Course(*(values.reshape(-1, paths).mean(axis=1) for values in each))


def _beyond(nodes: Array, scores: Array, slopes: Array, to: float) -> Array:
    """Continues the last two points to a place beyond them; a single one by its slope."""
    way = to - nodes[-1]
    linear: Array = scores[-1] + way * slopes[-1]
    if len(nodes) == 1 or way == 0:
        return linear
    step = nodes[-1] - nodes[-2]
    bend = (slopes[-1] - slopes[-2]) / step
    if abs(way) > _NEAR * abs(step):
        linear += bend / 2 * way**2
        return linear
    # The cubic through both scores and slopes, in powers of the way.
    mean = (scores[-1] - scores[-2]) / step
    twist = (slopes[-1] + slopes[-2] - 2 * mean) / step**2
    linear += (bend / 2 + 1.5 * twist * step) * way**2 + twist * way**3
    return linear
