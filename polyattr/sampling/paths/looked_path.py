"""Straight paths on which the scores are looked at before gradients are taken."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.quadrature import RULES, quadrature
from polyattr.sampling.recipe import Array, Carry, Rounds
from polyattr.sampling.rows import Rows, ScoreRows
from polyattr.sampling.straight_path import FixedNodes, StraightPath

_EVENLY = 0.5
"""Share of the nodes that go where the path is long, whatever the score does there: what the look
has missed between two of its points is found by them. Of 0.1, 0.3, 0.5 and 1 this left the smallest
error on ReLU networks, at 17, 33 and 65 nodes."""


@dataclass(frozen=True)
class LookedPath(StraightPath):
    """Two rounds: scores at even points of the path, then gradients where and as they tell.

    The rule is the trapezoid one in a measure of the subclass: a node has half of what lies between
    its neighbours. Takes the arguments of `Recipe` too.

    Attributes:
        nodes: How many points, for the look and for the gradients each.
        references: Baselines per sample, K.

    Example:
        >>> from polyattr.sampling import DecisionPath, ImportantDirections, LookedPath
        >>> [issubclass(kind, LookedPath) for kind in (DecisionPath, ImportantDirections)]
        [True, True]
    """

    nodes: FixedNodes = field(default_factory=FixedNodes)
    cure: ClassVar[str] = "leave these samples out, or choose another baseline"

    @abstractmethod
    def planned(self, alpha: Array, scores: Array) -> tuple[Array, Array]:
        """Chooses nodes by what the look told.

        Args:
            alpha: (P,) where it looked.
            scores: (K, P, N) what it saw there, of N samples.

        Returns:
            The nodes and their measure, (K, P, N) each.

        Example:
            >>> import numpy as np
            >>> from polyattr.sampling import DecisionPath
            >>> scores = np.array([0.0, 1.0, 1.0])[None, :, None]
            >>> DecisionPath().planned(np.array([0.0, 0.5, 1.0]), scores)[0].ravel().round(2)
            array([0.  , 0.33, 1.  ])
        """

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """Looks, then takes gradients."""
        alpha, _ = quadrature("trapezoid", self.nodes.steps)
        shape = (self.references, len(alpha), n)
        everywhere = np.broadcast_to(alpha[:, None], shape)
        told = yield self._rows(ScoreRows, everywhere, np.zeros(shape))
        with np.errstate(all="ignore"):  # scores that are not finite are reported by the engine
            nodes, measure = self.planned(alpha, told.scores.astype(np.float64).reshape(shape))
            yield self._rows(Rows, nodes, measure / self.references)
        return Weights(np.ones(1), smooth=RULES["trapezoid"].smooth)

    def _rows(self, kind: type[Rows[Array]], alpha: Array, measure: Array) -> Rows[Array]:
        """Makes a table of what is known of every reference, node and sample, (K, P, N)."""
        reference, _, sample = (axis.ravel() for axis in np.indices(alpha.shape))
        coarser = np.zeros(alpha.shape)
        coarser[:, ::2] = _trapezoid(measure[:, ::2], measure[:, -1:])
        columns = {"reference": reference} if self.references > 1 else {}
        return kind(
            sample,
            np.zeros_like(sample),
            _trapezoid(measure, measure[:, -1:]).ravel(),
            alpha=alpha.ravel(),
            width=_width(alpha, measure).ravel(),
            coarser=coarser.ravel(),
            **columns,
        )


def _width(alpha: Array, measure: Array) -> Array:
    """Returns how far each node is from the one before it, (K, P, N), to tell errors by.

    At a kink, the slope of the measure changes with the integrand. With slopes s and t on the two
    sides of an unknown place, the trapezoid is off by h |dg| sqrt((s s + t t - s t) / 12) in the
    root mean square: what counts is that root, taken from the intervals on either side.
    """
    h, change = np.diff(alpha, axis=1), np.diff(measure, axis=1)
    slope = change / np.where(h > 0, h, 1.0)
    s = np.concatenate([slope[:, :1], slope[:, :-1]], axis=1)
    t = np.concatenate([slope[:, 1:], slope[:, -1:]], axis=1)
    width = np.maximum(h * np.sqrt(np.maximum(s * s + t * t - s * t, 0.0)), np.abs(change))
    return np.concatenate([np.zeros_like(measure[:, :1]), width], axis=1)


def _trapezoid(measure: Array, end: Array) -> Array:
    """Gives each node (K, P, N) half of what lies between its neighbours, and the last the rest."""
    before = np.concatenate([measure[:, :1], measure[:, :-1]], axis=1)
    after = np.concatenate([measure[:, 1:], 2 * end - measure[:, -1:]], axis=1)
    return np.asarray((after - before) / 2)


@dataclass(frozen=True)
class ImportantDirections(LookedPath):
    """The change of the score, shared out by the squares of the gradient.

    Takes the arguments of `LookedPath`.

    Example:
        >>> from polyattr.sampling import ImportantDirections
        >>> ImportantDirections().complete
        True
    """

    complete: ClassVar[bool] = True

    def planned(self, alpha: Array, scores: Array) -> tuple[Array, Array]:
        """Even nodes, in the measure of the score."""
        return np.broadcast_to(alpha[:, None], scores.shape), scores

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """The square of each gradient, relative to the sum of all; 0 where all are."""
        # In units of the sum of their sizes, so that no square under- or overflows.
        unit = _whole(backend, [backend.absolute(g) for g in gradients])
        scaled = [g / backend.column(u, g) for g, u in zip(gradients, unit, strict=True)]
        squares = [g * g for g in scaled]
        length = _whole(backend, squares)
        pairs = zip(squares, length, strict=True)
        return [s / backend.column(total, s) for s, total in pairs], carry


@dataclass(frozen=True)
class DecisionPath(LookedPath):
    """The path integral, weighted by the slope of the score, with more nodes where it changes.

    Takes the arguments of `LookedPath`.

    Example:
        >>> from polyattr.sampling import DecisionPath
        >>> DecisionPath().complete
        False
    """

    def planned(self, alpha: Array, scores: Array) -> tuple[Array, Array]:
        """As many nodes on every equal piece of what the score travels, in the measure of alpha."""
        moves = np.abs(np.diff(scores, axis=1))
        travel = moves.sum(axis=1, keepdims=True)
        even = np.diff(alpha)[:, None]
        moves = np.where(travel > 0, moves / np.where(travel > 0, travel, 1.0), even)
        density = _EVENLY * even + (1 - _EVENLY) * moves
        travelled = np.cumsum(np.nan_to_num(density), axis=1)
        nodes = np.empty(scores.shape)
        for k, i in np.ndindex(scores.shape[0], scores.shape[2]):
            way = np.append(0.0, travelled[k, :, i])
            nodes[k, :, i] = np.interp(alpha * way[-1], way, alpha)
        return nodes, nodes

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """The gradient times (x - b), times the sum of these over all features: the slope."""
        slope = _summed(backend, flow)
        return [f * backend.column(s, f) for f, s in zip(flow, slope, strict=True)], carry


def _whole(backend: GradBackend, parts: list[Tensor]) -> list[Tensor]:
    """Sums (R,) over all inputs, in the dtype of each; 1 where they are 0, to divide by."""
    return [s + backend.cast(s == 0, backend.dtype(s)) for s in _summed(backend, parts)]


def _summed(backend: GradBackend, parts: list[Tensor]) -> list[Tensor]:
    """Sums (R,) over all inputs, in the dtype of each."""
    kinds = [backend.dtype(part) for part in parts]
    wide = "float64" if "float64" in kinds else kinds[0]
    first, *others = (backend.cast(backend.row_sums(part), wide) for part in parts)
    total = sum(others, start=first)
    return [backend.cast(total, kind) for kind in kinds]
