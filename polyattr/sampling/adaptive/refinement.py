"""Path integrals refined per sample, until the map is known as exactly as was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from polyattr.errors import InputError, InputTypeError
from polyattr.sampling.adaptive.exact import ExactNodes
from polyattr.sampling.adaptive.many_paths import (
    heard,
    intervals,
    measured,
    rules,
    table,
    weights,
)
from polyattr.sampling.adaptive.one_path import OnePath
from polyattr.sampling.errors.course import Course, ragged_course
from polyattr.sampling.errors.norm import Norm
from polyattr.sampling.errors.smoothness import MEAN_OF_NORMAL
from polyattr.sampling.quadrature import INSIDE, check_rule, quadrature
from polyattr.sampling.recipe import Array, Rounds
from polyattr.sampling.rows import Rows, Told
from polyattr.sampling.straight_path import FixedNodes, Nodes

DEFAULT_TOLERANCE = 0.01
"""Error that points are chosen for when none was asked for."""

FEWEST_NODES = 9
"""Of the first round: of Clenshaw & Curtis, whose 17, 33, ... hold them."""

FEWEST_FOR_GAP = 5
"""The same where only the gap is to be closed."""

On = Literal["map", "gap"]
_ON: dict[str, On] = {"map": "map", "gap": "gap"}


@dataclass(frozen=True)
class AdaptiveNodes(Nodes):
    """Points where the integrand bends, until the error of the map is within the tolerance.

    Each sample begins with a rule of Clenshaw & Curtis. Where the next one of the family comes
    nearer at the rate of smooth integrands, the sample goes on with these; else intervals are
    bisected where the gradient jumps most, and the rule is the trapezoid. All gradients of a sample
    are kept until it is done, one in each part.

    Attributes:
        most: Most points per sample.
        tolerance: Relative error at which a sample leaves.
        on: "map", its error relative to its summed magnitude, or "gap", what the sum of the map
            misses of f(x) - f(b), relative to that.

    Example:
        >>> from polyattr.sampling import AdaptiveNodes, Norm
        >>> next(AdaptiveNodes(most=20).rounds(1, Norm())).alpha.round(2)
        array([0.  , 0.04, 0.15, 0.31, 0.5 , 0.69, 0.85, 0.96, 1.  ])
    """

    more: ClassVar[str] = "raise max_steps"
    elsewhere: ClassVar[str] = (
        "a number of steps with a rule that does not visit this point (steps=50, rule='midpoint' "
        "visits neither end of the path)"
    )
    most: int = 1024
    tolerance: float = DEFAULT_TOLERANCE
    on: On = "map"

    @property
    def parts(self) -> int:  # type: ignore[override]  # as many as there may be points
        """A part for each point."""
        return self.most

    @property
    def on_gap(self) -> bool:  # type: ignore[override]  # depends on what was asked for
        """Whether the gap was to be closed."""
        return self.on == "gap"

    @property
    def kept(self) -> int:  # type: ignore[override]  # as many as there may be points
        """All gradients of a sample."""
        return self.most

    @property
    def inside(self) -> float:
        """A hundredth of the first interval."""
        return INSIDE * float(quadrature("clenshaw-curtis", self._first)[0][1])

    @property
    def _first(self) -> int:
        return FEWEST_NODES if self.on == "map" else FEWEST_FOR_GAP

    def course(self, rows: Rows[Array], told: Told, references: int) -> Course | None:
        """Follows each sample from node to node, of which it has as many as it needed."""
        return ragged_course(rows, told.scores, told.slopes, references, self.inside)

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """The points of the first rule, then for each sample those it needs."""
        paths = [OnePath(self.inside, doubles=not self.on_gap) for _ in range(n)]
        wanted = {i: quadrature("clenshaw-curtis", self._first)[0] for i in range(n)}
        while True:
            rows = table(paths, wanted)
            told = yield rows
            heard(paths, rows, told)
            judge = self._by_map if self.on == "map" else self._by_gap
            judge(paths, sorted(wanted), norm)
            wanted = self._next(paths, sorted(wanted), norm)
            if not wanted:
                if self.on == "gap":  # nobody has looked at the gradients themselves
                    for path in paths:
                        path.jump[:] = np.nan
                    measured(paths, list(range(n)), norm)
                return weights(paths)

    def _next(self, paths: list[OnePath], live: list[int], norm: Norm) -> dict[int, Array]:
        """Returns the points that samples take next; none where there is no time for them."""
        live = [i for i in live if paths[i].off > self.tolerance]
        smooth = {i: paths[i].smooth for i in live}
        wanted = {i: paths[i].next(self.most) for i in live}
        wanted = {i: alpha for i, alpha in wanted.items() if len(alpha)}
        if norm.allows(sum(map(len, wanted.values()))):
            return wanted
        for i, before in smooth.items():
            paths[i].smooth = before
        return {}

    def _by_map(self, paths: list[OnePath], live: list[int], norm: Norm) -> None:
        """Tells the live paths how far off their maps are, and by which rule."""
        measured(paths, live, norm)
        bound = np.array([path.jump.sum() for path in paths])
        kinks = MEAN_OF_NORMAL * norm.roots(intervals(paths, live), bound)
        here, there = rules(paths, live)
        moved, size = norm.size(here - there), norm.size(here)
        bent = [i for i in live if paths[i].decide(moved[i], kinks[i], size[i], self.tolerance)]
        if bent:
            size = norm.size(rules(paths, live)[0])
        for i in live:
            missed = paths[i].missed() if norm.complete else 0.0
            paths[i].state(moved[i], kinks[i], size[i], self.tolerance, missed)

    def _by_gap(self, paths: list[OnePath], live: list[int], norm: Norm) -> None:
        """The same by what the sum of the map misses: known without a look at the map."""
        for i in live:
            paths[i].weigh()


def path_nodes(
    steps: object, rule: str, most: int, tolerance: float | None, on: object = "map"
) -> Nodes:
    """Returns the nodes that the arguments of a path method ask for.

    Args:
        steps: Number of points, or "auto".
        rule: Name of a quadrature rule, or "exact".
        most: Most points with "auto" or "exact".
        tolerance: Relative error to stop at with "auto"; 0.01 for None.
        on: What has to be within the tolerance with "auto": "map" or "gap".

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
    if not isinstance(on, str) or on not in _ON:
        raise InputError(f"converge_on is {on!r}; expected 'map' or 'gap'")
    if isinstance(rule, str) and rule == "exact":
        return ExactNodes(most)
    if not isinstance(steps, str):
        return FixedNodes(check_rule(rule, steps), rule)
    if not isinstance(rule, str) or rule != "trapezoid":
        raise InputError(
            f"rule is {rule!r}, but steps='auto' chooses its points itself; leave rule out or give "
            f"a number of steps"
        )
    return AdaptiveNodes(
        most, DEFAULT_TOLERANCE if tolerance is None else float(tolerance), _ON[on]
    )
