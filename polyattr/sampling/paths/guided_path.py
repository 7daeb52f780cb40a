"""The path that moves features of small gradients first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.dtypes import FLOATS
from polyattr.sampling.quadrature import INSIDE
from polyattr.sampling.recipe import Array, Carry, Recipe, Spot
from polyattr.sampling.rows import Rows


@dataclass(frozen=True)
class GuidedRows(Rows[Any]):
    """Points of a guided path: alpha is how much of the way, in the L1 norm, lies behind.

    Attributes:
        until: (R,) alpha of the next point.
        least: (R,) fraction of its way that each feature has at least behind it by then.
        most: (R,) fraction that it has at most.
    """

    until: Any = None
    least: Any = None
    most: Any = None


@dataclass(frozen=True)
class GuidedPath(Recipe):
    """From baseline to input in equal strides of the L1 norm, where gradients are small.

    In each stride the features are ordered by the size of their gradient, those of all inputs
    together, and go as far as they may, group after group, until the stride is made; the last group
    goes as far as is needed. The integral is the trapezoid rule on this polygon. Takes the
    arguments of `Recipe` too.

    Attributes:
        steps: Points on the path, both ends included.
        fraction: Size of a group, as a fraction of the features.
        max_dist: How far a feature may be from the straight path, as a fraction of its way.

    Example:
        >>> from polyattr.sampling import GuidedPath
        >>> GuidedPath(steps=3, max_dist=0.1).table(1).most
        array([0.6, 1. , 1. ])
    """

    origin: ClassVar[str | None] = "baseline"
    sequential: ClassVar[bool] = True
    complete: ClassVar[bool] = True
    cure: ClassVar[str] = "leave these samples out, or choose another baseline"
    more: ClassVar[str] = "raise steps"
    steps: int = 50
    fraction: float = 0.25
    max_dist: float = 0.02

    def table(self, n: int) -> Rows[Array]:
        """A row per point, one after the other."""
        alpha = np.linspace(0.0, 1.0, self.steps)
        until = np.append(alpha[1:], 1.0)
        return GuidedRows.over(
            n,
            weight=np.ones(self.steps),
            alpha=alpha,
            turn=np.arange(self.steps),
            until=until,
            least=np.maximum(until - self.max_dist, 0.0),
            most=np.minimum(until + self.max_dist, 1.0),
        )

    def at_input(self, rows: Rows[Array]) -> Array:
        """The last point."""
        return np.asarray(rows.alpha == 1.0)

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the fraction of the path."""
        alpha: Any = rows.alpha
        return f"at alpha = {alpha[row]:.4g} of the guided path from baseline to input"

    def start(self, backend: GradBackend, x: Tensor, baseline: Tensor | None) -> Carry:
        """The ends of the path, the point, and the move that led there: none yet."""
        wide = backend.accumulator_dtype(x)
        end = backend.cast(x, wide)
        first = end * 0 + backend.cast(baseline, wide)
        return first, end, first, end * 0

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """The point that was reached: the start from inside, as of any path, the end exactly."""
        first, end, here, move = at.carry
        alpha: Any = at.rows.alpha
        kind = backend.dtype(alpha)
        inside = max(INSIDE / (self.steps - 1), FLOATS[backend.dtype(at.x)].inside)
        begun = backend.column(backend.cast(backend.cast(alpha == 0, kind), kind) * inside, end)
        ended = backend.column(backend.cast(alpha == 1, kind), end)
        begun, ended = (backend.cast(each, backend.dtype(end)) for each in (begun, ended))
        point = (here + begun * (end - first)) * (1 - ended) + end * ended
        return backend.cast(point, backend.dtype(at.x)), move

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """The gradient times half of the move that led here and half of the next one."""
        shares: list[Tensor] = []
        after: list[Carry] = []
        for gradient, here, there in zip(
            gradients, carry, self._next(backend, rows, gradients, carry), strict=True
        ):
            first, end, point, move = here
            shares.append(gradient * (move + (there - point)) * 0.5)
            after.append((first, end, there, there - point))
        return shares, after

    def _next(
        self, backend: GradBackend, rows: Any, gradients: list[Tensor], carry: list[Carry]
    ) -> list[Tensor]:
        """Returns where the next stride leads, (R, ...) per input."""
        wide = backend.dtype(_summed(backend, [backend.row_sums(g) for g in gradients]))
        until, least, most = (backend.cast(c, wide) for c in (rows.until, rows.least, rows.most))
        here, limit, whole, rest, reach = [], [], [], [], []
        for first, end, point, _ in carry:
            low, high = (_column(backend, c, end) for c in (least, most))
            # Who has fallen behind catches up, whatever the gradient.
            slow = first * (1 - low) + end * low
            size = backend.absolute(end - first)
            behind = backend.cast(backend.absolute(point - first) < size * low, backend.dtype(end))
            here.append(point * (1 - behind) + slow * behind)
            limit.append(first * (1 - high) + end * high)
            whole.append(backend.row_sums(size))
            rest.append(backend.row_sums(backend.absolute(end - here[-1])))
            # Who is there but for rounding has arrived: it does not take part in this stride.
            far = backend.absolute(limit[-1] - here[-1])
            going = backend.cast(far > size * FLOATS[backend.dtype(end)].inside, backend.dtype(end))
            reach.append(backend.cast(far * going, wide))
        stride = _summed(backend, rest) - (1 - until) * _summed(backend, whole)
        stride = backend.maximum(stride, stride * 0)
        share = self._shares(backend, gradients, reach, stride)
        moved = []
        for near, far, part in zip(here, limit, share, strict=True):
            own = backend.cast(part, backend.dtype(near))
            moved.append(near * (1 - own) + far * own)
        return moved

    def _shares(
        self, backend: GradBackend, gradients: list[Tensor], reach: list[Tensor], stride: Tensor
    ) -> list[Tensor]:
        """Returns which part of its `reach` (R, ...) each feature goes, so that in all `stride`."""
        wide = backend.dtype(stride)
        ranks, members, groups = self._ranks(backend, gradients, reach)

        def below(end: Tensor) -> list[Tensor]:
            """Marks the features whose rank is below `end` (R,)."""
            return [backend.cast(rank < backend.column(end, rank), wide) for rank in ranks]

        def reached(marks: list[Tensor]) -> Tensor:
            pairs = zip(reach, marks, strict=True)
            return _summed(backend, [backend.row_sums(r * mark) for r, mark in pairs])

        # How many groups go all the way, by bisection: what they reach grows with every group.
        full = backend.cast(stride * 0, "int32")
        for bit in reversed(range(groups.bit_length())):
            fits = reached(below((full + 2**bit) * members)) <= stride
            full = full + backend.cast(fits, "int32") * 2**bit
        whole, some = below(full * members), below((full + 1) * members)
        some = [more - less for more, less in zip(some, whole, strict=True)]
        room = reached(some)
        part = (stride - reached(whole)) / (room + backend.cast(room == 0, wide))
        part = -backend.maximum(-part, part * 0 - 1.0)
        found = []
        for r, all_the_way, on_the_way in zip(reach, whole, some, strict=True):
            share = all_the_way + on_the_way * backend.column(part, r)
            # Who has arrived stays where it is, to the bit, and so in the last group.
            found.append(share * backend.cast(r > 0, wide))
        return found

    def _ranks(
        self, backend: GradBackend, gradients: list[Tensor], reach: list[Tensor]
    ) -> tuple[list[Tensor], int, int]:
        """Returns the ranks of the features (R, ...), how many make a group, and how many groups.

        Who cannot go any further comes last, behind the largest gradient.
        """
        wide = backend.dtype(reach[0])
        size = [backend.absolute(backend.cast(g, wide)) for g in gradients]
        last = _summed(backend, [backend.row_sums(s) for s in size]) * 2 + 1
        keys = []
        for s, r in zip(size, reach, strict=True):
            still = backend.cast(r > 0, wide)
            keys.append(s * still + backend.column(last, s) * (1 - still))
        features = sum(int(np.prod(g.shape[1:])) for g in gradients)
        members = int(self.fraction * (features - 1)) + 1
        return list(backend.ranks(keys)), members, -(-features // members)


def _summed(backend: GradBackend, parts: list[Tensor]) -> Tensor:
    """Adds numbers (R,) of all inputs, in the widest of their dtypes."""
    kinds = [backend.dtype(part) for part in parts]
    wide = "float64" if "float64" in kinds else kinds[0]
    first, *others = (backend.cast(part, wide) for part in parts)
    return sum(others, start=first)


def _column(backend: GradBackend, numbers: Tensor, like: Tensor) -> Tensor:
    """Makes numbers (R,) a column that goes with `like` (R, ...), in its dtype."""
    return backend.column(backend.cast(numbers, backend.dtype(like)), like)
