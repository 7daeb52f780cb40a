"""Path integrals refined per sample until the map no longer changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.sampling.course import Course, ragged_course
from polyattr.sampling.quadrature import check_rule
from polyattr.sampling.recipe import Array, Norm, Rounds, Weights
from polyattr.sampling.rows import Rows, Told
from polyattr.sampling.straight_path import INSIDE, FixedNodes, Nodes

_COARSEST = 2
"""Part 0 has 2**2 + 1 nodes; the first round brings part 1 as well, to compare it with."""

FEWEST_NODES = 2 ** (_COARSEST + 1) + 1


@dataclass(frozen=True)
class NestedNodes(Nodes):
    """Trapezoids of half the width in each round; a sample leaves when its map changes little.

    Part k holds the sum of the gradients at the nodes that level k brought, so that every level is
    a weighted sum of the parts, and the change from the last level to this one the error.

    Attributes:
        most: Most nodes per sample.
        tolerance: Relative change of the map, in the Euclidean norm, at which a sample leaves.

    Example:
        >>> from polyattr.sampling import NestedNodes
        >>> nodes = NestedNodes(most=20)
        >>> next(nodes.rounds(1, lambda weights: weights.sum(axis=1))).alpha
        array([0.   , 0.25 , 0.5  , 0.75 , 1.   , 0.125, 0.375, 0.625, 0.875])
    """

    more: ClassVar[str] = "raise max_steps"
    elsewhere: ClassVar[str] = (
        "a number of steps with a rule that does not visit this point (steps=50, rule='midpoint' "
        "visits neither end of the path)"
    )
    most: int = 1024
    tolerance: float = 0.01

    @property
    def parts(self) -> int:  # type: ignore[override]  # depends on how many nodes there may be
        """How many levels `most` nodes are enough for."""
        return (self.most - 1).bit_length() - _COARSEST

    @property
    def inside(self) -> float:
        """A hundredth of the first round's intervals."""
        return float(INSIDE / (FEWEST_NODES - 1))

    def course(self, rows: Rows[Array], told: Told, references: int) -> Course | None:
        """Follows each sample from node to node, of which it has as many as it needed."""
        return ragged_course(rows, told.scores, told.slopes, references, self.inside)

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """A round per level, of the samples that still change."""
        live = np.arange(n)
        value, coarser = np.zeros((n, self.parts)), np.zeros((n, self.parts))
        for level in range(1, self.parts):
            yield _rows(live, range(2) if level == 1 else [level])
            coarser[live], value[live] = self._trapezoid(level - 1), self._trapezoid(level)
            change, size = norm(value - coarser), norm(value)
            # What is not finite leaves too: the engine names it.
            live = live[change[live] > self.tolerance * size[live]]
            if not len(live):
                break
        return Weights(value, others=(coarser,), scale=(1.0,))

    def _trapezoid(self, level: int) -> Array:
        """The weights of the parts in the rule with 2**(level + 2) intervals."""
        weight = 2.0 ** -(level + _COARSEST)
        weights: Array = np.where(np.arange(self.parts) <= level, weight, 0.0)
        return weights


def path_nodes(steps: object, rule: str, most: int, tolerance: float | None) -> Nodes:
    """Returns the nodes that the arguments of a path method ask for.

    Args:
        steps: Number of points, or "auto".
        rule: Name of a quadrature rule.
        most: Most points with "auto".
        tolerance: Relative change of the map to stop at with "auto"; 0.01 for None.

    Raises:
        InputError: An unknown rule, fewer steps than it needs, or a rule with "auto".
        InputTypeError: `steps` is no whole number.

    Example:
        >>> from polyattr.sampling import path_nodes
        >>> path_nodes(5, "simpson", 1024, None)
        FixedNodes(steps=5, rule='simpson')
    """
    if isinstance(steps, str) and steps != "auto":
        raise InputTypeError(f"steps is {steps!r}; expected an int, or 'auto'")
    if not isinstance(steps, str):
        return FixedNodes(check_rule(rule, steps), rule)
    if rule != "trapezoid":
        raise InputError(
            f"rule is {rule!r}, but steps='auto' refines trapezoids; leave rule out or give a "
            f"number of steps"
        )
    return NestedNodes(most, 0.01 if tolerance is None else float(tolerance))


def _rows(live: Array, levels: range | list[int]) -> Rows[Array]:
    """The nodes that come with each of the `levels`, for the samples that are `live`."""
    nodes = [_nodes(level) for level in levels]
    alpha = np.concatenate(nodes)
    part = np.repeat(np.array(list(levels)), [len(own) for own in nodes])
    ends = (alpha == 0) | (alpha == 1)
    table = Rows.over(len(live), weight=np.where(ends, 0.5, 1.0), part=part, alpha=alpha)
    return Rows(live[table.sample], table.part, table.weight, alpha=table.alpha)


def _nodes(level: int) -> Array:
    intervals = 2 ** (level + _COARSEST)
    every = np.arange(intervals + 1)
    nodes: Array = (every if level == 0 else every[1::2]) / intervals
    return nodes
