"""The straight line from a baseline to the input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.dtypes import FLOATS
from polyattr.sampling.errors.course import Course, NodesWalk, Walk, course
from polyattr.sampling.errors.neighbours import Neighbours
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.quadrature import INSIDE, RULES, inside_of, planned, quadrature
from polyattr.sampling.recipe import Array, Carry, Recipe, Rounds, Spot
from polyattr.sampling.rows import Rows, Told
from polyattr.sampling.statistics import Statistic


@dataclass(frozen=True)
class Nodes(ABC):
    """Which fractions of a path are visited, with what weight; `parts` sums per sample.

    Example:
        >>> from polyattr.sampling import AdaptiveNodes, FixedNodes, Nodes
        >>> [issubclass(kind, Nodes) for kind in (FixedNodes, AdaptiveNodes)]
        [True, True]
    """

    parts: ClassVar[int] = 1
    kept: ClassVar[int] = 0
    on_gap: ClassVar[bool] = False
    more: ClassVar[str] = "raise steps"
    elsewhere: ClassVar[str] = "other points on the path"

    @property
    def inside(self) -> float:
        """Where on the path the node at alpha = 0 is taken; by default as by 50 even nodes."""
        return INSIDE / 49

    def course(self, rows: Rows[Array], told: Told, references: int) -> Course | None:
        """Says how the score goes along the paths, by what all their `rows` (R,) `told`.

        In the mean over the `references` baselines of a sample; None where that is not known.
        """
        return None

    def walk(self, n: int, references: int) -> Walk:
        """Returns what says so of a table of `n` samples and `references` that comes in pieces."""
        return Walk()

    @abstractmethod
    def rounds(self, n: int, norm: Norm) -> Rounds:
        """Yields tables with sample, part, weight and alpha.

        Takes the arguments `n` and `norm` as `Recipe.rounds` does. With several baselines per
        sample, what comes back is the mean over them.
        """


@dataclass(frozen=True)
class FixedNodes(Nodes):
    """The nodes of a quadrature rule.

    Attributes:
        steps: Number of nodes, P.
        rule: Name of the rule.

    Example:
        >>> from polyattr.sampling import FixedNodes
        >>> FixedNodes(3).table(1).weight
        array([0.25, 0.5 , 0.25])
    """

    steps: int = 50
    rule: str = "trapezoid"

    @property
    def elsewhere(self) -> str:  # type: ignore[override]  # depends on the rule
        """How to get points in other places: a rule that leaves out the ends, or other steps."""
        alpha = quadrature(self.rule, self.steps)[0]
        if alpha[0] > 0 and alpha[-1] < 1:
            return f"other steps: rule={self.rule!r} visits neither end of the path already"
        return (
            "a rule that does not visit this point (rule='midpoint' visits neither end of the path)"
        )

    @property
    def inside(self) -> float:
        """A hundredth of the first interval."""
        return inside_of(quadrature(self.rule, self.steps)[0])

    def table(self, n: int) -> Rows[Array]:
        """Returns a row per node for each of `n` samples: (R,) columns."""
        table = planned(self.rule, self.steps)
        return Rows.over(n, **{name: values for name, values in table.items() if name != "taken"})

    def course(self, rows: Rows[Array], told: Told, references: int) -> Course | None:
        """Reads it off the table, whose order is known."""
        if type(self).table is not FixedNodes.table:
            return None
        nodes = planned(self.rule, self.steps)["taken"]
        # References, on each path the nodes, at each node the samples.
        order = (references, len(nodes), -1)
        return course(nodes, told.scores.reshape(order), told.slopes.reshape(order))

    def walk(self, n: int, references: int) -> Walk:
        """Follows the nodes; see `repeats`, without which nobody asks."""
        return NodesWalk(planned(self.rule, self.steps)["taken"], references, n)

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """A single round."""
        yield self.table(n)
        return Weights(np.ones(1), smooth=RULES[self.rule].smooth if self.steps > 1 else None)


@dataclass(frozen=True)
class StraightPath(Recipe):
    """The mean gradient on the straight path, or on those from several baselines per sample.

    Takes the arguments of `Recipe` too.

    Attributes:
        nodes: Where on the path.
        references: Baselines per sample, K.

    Example:
        >>> from polyattr.sampling import FixedNodes, StraightPath
        >>> StraightPath(nodes=FixedNodes(3), references=2).table(1).reference
        array([0, 0, 0, 1, 1, 1])
    """

    statistic: Statistic = field(default_factory=Neighbours)
    origin: ClassVar[str | None] = "baseline"
    nodes: Nodes = field(default_factory=FixedNodes)
    references: int = 1

    def __post_init__(self) -> None:
        """Only a table in the order of the path shows neighbours."""
        if not isinstance(self.nodes, FixedNodes):
            object.__setattr__(self, "statistic", self.statistic.plain)

    @property
    def cure(self) -> str:  # type: ignore[override]  # depends on the nodes
        """What to do about a gradient that is not finite."""
        return f"leave these samples out, choose another baseline, or {self.nodes.elsewhere}"

    @property
    def more(self) -> str:  # type: ignore[override]  # depends on the nodes
        """What to do about an error above the tolerance."""
        return self.nodes.more

    @property
    def parts(self) -> int:
        """Running sums per sample."""
        return self.nodes.parts

    @property
    def kept(self) -> int:
        """As many as the nodes keep."""
        return self.nodes.kept

    @property
    def on_gap(self) -> bool:
        """Whether the nodes were chosen to close the gap."""
        return self.nodes.on_gap

    @property
    def one_round(self) -> bool:
        """Whether the nodes are known in advance."""
        # A subclass with rounds of its own, on either side, chooses its rows.
        fixed = getattr(type(self.nodes), "rounds", None) is FixedNodes.rounds
        return fixed and type(self).rounds is StraightPath.rounds

    @property
    def repeats(self) -> bool:
        """Whether the table is that of the nodes, and theirs that of their rule."""
        own = type(self).table is StraightPath.table and self.one_round
        return own and getattr(type(self.nodes), "table", None) is FixedNodes.table

    def walk(self, n: int) -> Walk:
        """What the nodes make of it."""
        return self.nodes.walk(n, self.references)

    def table(self, n: int) -> Rows[Array]:
        """A row per node and baseline."""
        return next(self.rounds(n, Norm()))

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """Those of the nodes, for each baseline."""
        inner = self.nodes.rounds(n, norm)
        return inner if self.references == 1 else _for_each(inner, self.references)

    def over(self, references: int) -> Recipe:
        """Returns the recipe for `references` baselines per sample."""
        return self if references == self.references else replace(self, references=references)

    def course(self, rows: Rows[Array], told: Told) -> Course | None:
        """What the nodes make of it, if they are those of the path."""
        kind = type(self)
        own = kind.table is StraightPath.table and kind.rounds is StraightPath.rounds
        return self.nodes.course(rows, told, self.references) if own else None

    def at_input(self, rows: Rows[Array]) -> Array:
        """The points with alpha exactly 1."""
        return np.asarray(rows.alpha == 1.0)

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """Interpolates between baseline and input, taking gradients at the start from inside."""
        wide = backend.accumulator_dtype(at.x)
        velocity = backend.cast(at.x, wide) - backend.cast(at.baseline, wide)
        return backend.linspace(at.baseline, at.x, self._taken(backend, at)), velocity

    def _taken(self, backend: GradBackend, at: Spot) -> Tensor:
        """Returns the alphas (R,) of rows, gradients at the start from inside; see `place`."""
        alpha: Any = at.rows.alpha
        start = backend.cast(alpha == 0, backend.dtype(alpha))
        inside = max(self.nodes.inside, FLOATS[backend.dtype(at.x)].inside)
        taken: Tensor = alpha if at.rows.scores_only else alpha + start * inside
        return taken

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the fraction of the path."""
        alpha: Any = rows.alpha
        return f"at alpha = {alpha[row]:.4g} of the path from baseline to input"


@dataclass(frozen=True)
class PathIntegral(StraightPath):
    """The integral of the gradient along the path: what each feature adds to the score.

    Takes the arguments of `StraightPath`.

    Example:
        >>> from polyattr.sampling import FixedNodes, PathIntegral
        >>> PathIntegral(nodes=FixedNodes(2, "midpoint")).table(1).alpha
        array([0.25, 0.75])
    """

    complete: ClassVar[bool] = True

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """The gradient times how far the feature moves, (x - b)."""
        return flow, carry


def _for_each(inner: Rounds, count: int) -> Generator[Rows[Array], Told, Weights]:
    """Repeats the rows of each round for every one of `count` baselines, in equal shares."""
    rows = next(inner)
    while True:
        r = len(rows)
        index = np.tile(np.arange(r), count)
        shares = {
            name: column[index] / count
            for name in ("weight", "width", "coarser")
            if (column := getattr(rows, name)) is not None
        }
        reference = np.repeat(np.arange(count), r)
        repeated = replace(rows.take(index), reference=reference, **shares)
        told = yield repeated
        try:
            rows = inner.send(_mean_told(told, count))
        except StopIteration as end:
            weights: Weights = end.value
            return weights


def _mean_told(told: Told, count: int) -> Told:
    """What the nodes are told: the means over the `count` baselines they are repeated for."""

    def read() -> tuple[Array, Array]:
        both = (told.scores, told.slopes)
        scores, slopes = (values.reshape(count, -1).mean(axis=0) for values in both)
        return scores, slopes

    return Told(read)
