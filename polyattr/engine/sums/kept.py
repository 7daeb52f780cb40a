"""Gradients kept in the running sums, one in each: how neighbours on a path differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.plan.pace import Pace
from polyattr.engine.sums.spread import Errors, in_all, norms, relative_error, sizes
from polyattr.sampling.errors.intervals import Intervals, Kinks
from polyattr.sampling.errors.norm import Norm, Weights

Array = np.ndarray[Any, Any]

_CHUNK = 64
"""Intervals looked at in one call: memory must not grow with their number."""


@dataclass(frozen=True)
class Kept:
    """Looks at the sums of a block of samples.

    Attributes:
        backend: The framework.
        kernel: Compiles a function under a key.
        samples: Samples of the block, M: part g of sample s is row ``g * M + s`` of the state.
        state: The running sums (G M, ...) per input as they are now.
    """

    backend: GradBackend
    kernel: Callable[[object, Callable[..., Any]], Callable[..., Any]]
    samples: int
    state: list[Tensor]

    def jumps(self, intervals: Intervals) -> Array:
        """Returns how much the sums at both ends differ, summed, times the width (I,)."""
        backend = self.backend

        def moved(leaves: list[Tensor], index: Tensor, real: Tensor) -> Tensor:
            left, right, _ = backend.unstack(index)
            parts = [
                backend.row_sums(backend.absolute(backend.batch(s, right) - backend.batch(s, left)))
                for s in leaves
            ]
            whole = in_all(backend, parts)
            return whole * backend.cast(real, backend.dtype(whole))

        if not len(intervals.sample):
            return np.zeros(0)
        run = self.kernel("jumps", moved)
        found = [run(self.state, *self._native(*chunk)) for chunk in self._chunks(intervals)]
        read = backend.to_numpy(backend.concat(found)).astype(np.float64)
        return read[: len(intervals.sample)]

    def roots(self, intervals: Intervals, unit: Array) -> list[Tensor]:
        """Returns the root mean square of what a kink in each interval leaves (M, ...) per input.

        Args:
            intervals: All pieces of the paths.
            unit: (N,) what jumps are measured in: squares of very small ones do not exist.
        """
        backend, m = self.backend, self.samples
        scale = np.ones(m)
        scale[: len(unit)] = np.where(unit > 0, unit, 1.0)

        def squared(
            totals: list[Tensor], leaves: list[Tensor], index: Tensor, real: Tensor
        ) -> list[Tensor]:
            left, right, sample = backend.unstack(index)
            found = []
            for total, leaf in zip(totals, leaves, strict=True):
                jump = backend.batch(leaf, right) - backend.batch(leaf, left)
                share = backend.column(backend.cast(real, backend.dtype(jump)), jump)
                found.append(backend.fold(total, sample, (jump * share) ** 2))
            return found

        totals = [
            backend.zeros((m, *leaf.shape[1:]), leaf, backend.dtype(leaf)) for leaf in self.state
        ]
        run = self.kernel("roots", squared)
        in_units = intervals._replace(width=intervals.width / scale[intervals.sample])
        for chunk in self._chunks(in_units):
            totals = run(totals, self.state, *self._native(*chunk))
        like = self.state[0]
        native = backend.to_native(scale * 12**-0.5, like, backend.dtype(like))
        return [
            total**0.5 * backend.column(backend.cast(native, backend.dtype(total)), total)
            for total in totals
        ]

    def errors(self, kinks: Kinks) -> Errors:
        """Returns how far off the map is by what the sums of each sample tell."""
        backend, like = self.backend, self.state[0]
        short = self.samples - len(kinks.jumps)
        dtypes = [backend.dtype(leaf) for leaf in self.state]
        wide = "float64" if "float64" in dtypes else dtypes[0]
        share, bound = (
            backend.to_native(np.pad(row, (0, short)), like, wide)
            for row in (kinks.share, kinks.jumps / 2)
        )
        roots = self.roots(kinks.intervals, kinks.jumps)
        standard = [
            root * backend.column(backend.cast(share, backend.dtype(root)), root) for root in roots
        ]
        return Errors(standard, bound)

    def _chunks(self, intervals: Intervals) -> Iterator[tuple[Array, Array]]:
        """Yields rows of the state and samples (3, C), and widths (C,), the last ones 0."""
        m = self.samples
        index = np.stack(
            [intervals.left * m + intervals.sample, intervals.right * m + intervals.sample,
             intervals.sample]
        ).astype(np.int32)  # fmt: skip
        short = -len(intervals.sample) % _CHUNK
        index = np.pad(index, ((0, 0), (0, short)))
        width = np.pad(intervals.width, (0, short))
        for first in range(0, len(width), _CHUNK):
            chunk = slice(first, first + _CHUNK)
            yield np.ascontiguousarray(index[:, chunk]), width[chunk]

    def _native(self, index: Array, width: Array) -> tuple[Tensor, Tensor]:
        backend, like = self.backend, self.state[0]
        return (
            backend.to_native(index, like),
            backend.to_native(width, like, backend.dtype(like)),
        )


def grown(backend: GradBackend, parts: Sequence[tuple[Tensor, ...]], size: int) -> Any:
    """Returns the state of statistics (S, ...) with room for `size` segments."""

    def longer(tensor: Tensor) -> Tensor:
        more = size - int(tensor.shape[0])
        zeros = backend.zeros((more, *tensor.shape[1:]), tensor, backend.dtype(tensor))
        return backend.concat([tensor, zeros])

    return [tuple(map(longer, state)) for state in parts]


@dataclass(frozen=True)
class Sizes(Norm):
    """Tells a recipe between rounds how large maps are, and how far off; waits for the device.

    Attributes:
        backend: The framework.
        live: Samples that are asked about, the first ones.
        values: Makes the attributions (M, ...) per input of weights.
        errors: Makes their errors (M, ...); None where the weights tell none.
        kept: Looks at the running sums as they are now.
        complete: See `Norm`.
        pace: Tells how much time there is; None for as much as is needed.
    """

    backend: GradBackend
    live: int
    values: Callable[[Array], list[Tensor]]
    errors: Callable[[Weights, list[Tensor]], Errors | None]
    kept: Callable[[], Kept]
    complete: bool = True
    pace: Pace | None = None

    def allows(self, rows: int) -> bool:
        """Whether there is time for so many rows."""
        return self.pace is None or self.pace.allows(rows)

    def __call__(self, weights: Array) -> Array:
        """The Euclidean norm of each sample's attributions (N,) with `weights` (N, G)."""
        return norms(self.backend, self.values(weights))[: self.live]

    def error(self, weights: Weights) -> Array:
        """The relative error of each sample's attributions (N,); NaN where nothing tells it."""
        values = self.values(weights.value)
        errors = self.errors(weights, values)
        if errors is None:
            return np.full(self.live, np.nan)
        return relative_error(self.backend, errors.standard, values)[: self.live]

    def size(self, weights: Array) -> Array:
        """The summed magnitude of each sample's attributions (N,)."""
        found = sizes(self.backend, self.values(weights))
        return self.backend.to_numpy(found)[: self.live].astype(np.float64)

    def jumps(self, intervals: Intervals) -> Array:
        """The distance of neighbouring sums times the width of each interval (I,)."""
        return self.kept().jumps(intervals)

    def roots(self, intervals: Intervals, unit: Array) -> Array:
        """What kinks in the intervals leave, summed (N,)."""
        found = sizes(self.backend, self.kept().roots(intervals, unit))
        return self.backend.to_numpy(found)[: self.live].astype(np.float64)
