"""Path integrals to rounding, of networks that are piecewise linear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polyattr.errors import InputError
from polyattr.sampling.adaptive.many_paths import heard, measured, rules, table, weights
from polyattr.sampling.adaptive.one_path import OnePath
from polyattr.sampling.errors.course import Course, ragged_course
from polyattr.sampling.errors.norm import Norm
from polyattr.sampling.recipe import Array, Rounds
from polyattr.sampling.rows import Rows, Told
from polyattr.sampling.straight_path import Nodes

_PROBES = np.array([0.0691, 0.2137, 0.3318, 0.4871, 0.5902, 0.7659, 0.8973])
"""Where is looked first, at places that nothing else is likely to be special at."""

_PAIRED = slice(1, None, 2)
"""The probes that have a neighbour."""


@dataclass(frozen=True)
class _Rounding:
    """What numbers of a precision can tell apart.

    Attributes:
        apart: Distance of the two points around a kink.
        near: Distance of neighbours that show whether gradients are constant in between.
        same: Relative distance of gradients that are taken for equal.
        done: Summed jumps, relative to the map, below which nothing is left to find.
        told: Difference of scores, relative to them, that rounding does not explain.
    """

    apart: float
    near: float
    same: float
    done: float
    told: float


_ROUNDING = {
    "float64": _Rounding(2.0**-40, 2.0**-24, 1e-9, 1e-13, 1e-13),
    "float32": _Rounding(2.0**-19, 2.0**-12, 1e-4, 1e-6, 1e-5),
}


@dataclass(frozen=True)
class ExactNodes(Nodes):
    """The pieces of the path on which the gradient is constant, found and measured.

    Regions on which a network is linear are convex: where the gradients at two points of the path
    are equal, and the score between them rises as they say, it is taken for constant. Where not,
    the two tangents of the score tell where a single kink is, and a point on each side of it
    confirms that, or splits what is left. What leaves a region between two points and comes back
    to the same gradient and the same line is not seen.

    Attributes:
        most: Most points per sample; one that needs more has the trapezoid of those it has.

    Example:
        >>> from polyattr.sampling import ExactNodes, Norm
        >>> next(ExactNodes().rounds(1, Norm())).alpha[:3]
        array([0.0691, 0.2137, 0.3318])
    """

    more: ClassVar[str] = "raise max_steps"
    elsewhere: ClassVar[str] = "another baseline"
    fewest: ClassVar[int] = len(_PROBES) + len(_PROBES[_PAIRED]) + 2
    most: int = 1024

    @property
    def parts(self) -> int:  # type: ignore[override]  # as many as there may be points
        """A part for each point."""
        return self.most

    @property
    def kept(self) -> int:  # type: ignore[override]  # as many as there may be points
        """All gradients of a sample."""
        return self.most

    def course(self, rows: Rows[Array], told: Told, references: int) -> Course | None:
        """Follows each sample from point to point, the first and the last all but at the ends."""
        return ragged_course(rows, told.scores, told.slopes, references, 0.0)

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """Probes, the ends, then both sides of each kink that is left."""
        paths = [OnePath(self.inside, smooth=False) for _ in range(n)]
        rows = table(paths, dict.fromkeys(range(n), _PROBES))
        told = yield rows
        heard(paths, rows, told)
        rounding = _ROUNDING[told.scores.dtype.name]
        near = _PROBES[_PAIRED] + rounding.near
        ends = np.array([rounding.apart, *near, 1 - rounding.apart])
        wanted = dict.fromkeys(range(n), ends)
        first = True
        while wanted:
            rows = table(paths, wanted)
            told = yield rows
            heard(paths, rows, told)
            live = sorted(wanted)
            measured(paths, live, norm)
            size = norm.size(rules(paths, live)[0])
            if first:
                _check_linear(paths, size, rounding)
                first = False
            wanted = {i: self._next(paths[i], size[i], rounding) for i in live}
            wanted = {i: alpha for i, alpha in wanted.items() if len(alpha)}
        return weights(paths)

    def _next(self, path: OnePath, size: float, rounding: _Rounding) -> Array:
        """Returns the points to look at next; none where every piece is known, or there is no room.

        What is not finite compares as false: such a sample is done, and named by the engine.
        """
        width, bent = np.diff(path.at), path.bent()
        moved = path.jump > rounding.same * _scale(path, size) * width
        off = bent > rounding.told * np.abs(path.score).max() + rounding.same * size * width
        split = (moved | off) & (width > 4 * rounding.apart)
        left = np.maximum(path.jump, bent)
        if not left[split].sum() > rounding.done * size:
            return np.zeros(0)
        chosen = np.flatnonzero(split)
        chosen = chosen[np.argsort(-left[chosen], kind="stable")]
        added: list[Array] = []
        room = self.most - len(path.at)
        for points in (_around(path, k, rounding) for k in chosen.tolist()):
            if len(points) > room:
                break
            room -= len(points)
            added.append(points)
        return np.sort(np.concatenate(added)) if added else np.zeros(0)


def _around(path: OnePath, k: int, rounding: _Rounding) -> Array:
    """Returns both sides of the kink that interval `k` may have; its middle where none is told."""
    a, b = path.at[k], path.at[k + 1]
    left, right = path.part[k], path.part[k + 1]
    rise = path.score[right] - path.score[left]
    before, after = path.slope[left], path.slope[right]
    with np.errstate(all="ignore"):
        kink = (rise + before * a - after * b) / (before - after)
    if a + rounding.apart < kink < b - rounding.apart:
        half = rounding.apart / 2
        return np.array([kink - half, kink + half])
    return np.array([(a + b) / 2])


def _scale(path: OnePath, size: float) -> float:
    """About how large the gradients of a path are: as its map, or as they differ on the way."""
    return max(size, float(path.jump.sum()))


def _check_linear(paths: list[OnePath], size: Array, rounding: _Rounding) -> None:
    """Checks that gradients do not move between neighbours, as those of a smooth network do.

    Raises:
        InputError: They do, on the path of a sample.
    """
    for i, path in enumerate(paths):
        width = np.diff(path.at)
        near = width < 2 * rounding.near
        moved = path.jump[near] > rounding.same * _scale(path, size[i]) * width[near]
        if 2 * moved.sum() > near.sum():
            raise InputError(
                f"rule='exact' is given a model whose gradient moves between points of the path "
                f"that are {rounding.near:.1g} apart (sample {i}); expected one that is piecewise "
                f"linear, as of ReLU and max-pooling. For smooth ones take steps='auto'"
            )
