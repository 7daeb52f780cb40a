"""What a method is: where gradients are taken, what each row adds, what comes of the sums."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import InputError
from polyattr.sampling.errors.course import Course, Walk
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.rows import Rows, Told
from polyattr.sampling.statistics import Mean, Statistic

Array = np.ndarray[Any, Any]

Carry = tuple[Tensor, ...]
"""What a sample takes along from row to row, (M, ...) each."""


class Spot(NamedTuple):
    """What is known where the rows of one input are placed; every tensor has the row axis first.

    Attributes:
        x: (R, ...) the row's sample.
        baseline: (R, ...) or (1, ...) the row's baseline; None for recipes without.
        noise: (R, ...) the row's draw; None for recipes without.
        carry: What the sample took along, (R, ...) each.
        rows: The rows' columns, (R,) each.
        grad: Differentiates what rows are placed by: `GradBackend.grad`, or that with a graph.

    Example:
        >>> from polyattr.sampling import Spot
        >>> Spot._fields
        ('x', 'baseline', 'noise', 'carry', 'rows', 'grad')
    """

    x: Tensor
    baseline: Any
    noise: Any
    carry: Carry
    rows: Rows[Tensor]
    grad: Any = None


Rounds = Generator[Rows[Array], Told, Weights]
"""What `Recipe.rounds` is: it yields rows, is sent what they told, and returns the weights."""


@dataclass(frozen=True)
class Recipe:
    """A method as a pure value: compared, hashed and compiled by its fields.

    As it stands, one row at the input itself; subclasses say what is different. `table` is enough
    for a method whose rows are known in advance; one that chooses them from what the last ones told
    overrides `rounds`. `place`, `step` and `finish` see native tensors and use Python operators and
    the verbs of the backend, so that they run in every framework; `start`, `place` and `step` run
    inside the compiled tile.

    Attributes:
        statistic: What a sum is: `Mean` or `Variance`.
        noise: What names the draws where rows have some: `Draws`, or seed and source.
        origin: What paths start from: "baseline", "background", "input", which is what `begin`
            makes of it, or None without.
        sequential: Whether a sample's rows depend on each other: its rows then come one by one.
        sampled: Whether the statistic is an estimate from random points.
        complete: Whether attributions are meant to sum to f(x) - f(baseline).

    Example:
        >>> import polyattr
        >>> len(polyattr.Recipe().table(3))
        3
    """

    statistic: Statistic = field(default_factory=Mean)
    noise: tuple[Any, ...] | None = None
    origin: ClassVar[str | None] = None
    sequential: ClassVar[bool] = False
    sampled: ClassVar[bool] = False
    complete: ClassVar[bool] = False
    cure: ClassVar[str] = "leave these samples out"
    """What to do about a gradient that is not finite, for the error message."""
    more: ClassVar[str] = "take more samples"
    """What to do about an error above the tolerance, for the warning."""

    # -- on the host ----------------------------------------------------------------------------

    @property
    def parts(self) -> int:
        """Running sums per sample, G."""
        return 1

    @property
    def on_gap(self) -> bool:
        """Whether it is the completeness gap that has to be within the tolerance."""
        return False

    @property
    def kept(self) -> int:
        """Most gradients of a sample that are kept until its last one; none for most recipes."""
        return 0

    def table(self, n: int) -> Rows[Array]:
        """Returns the rows (R,) of `n` samples."""
        return Rows.over(n, weight=np.ones(1))

    def weights(self) -> Weights:
        """Returns how the parts of a recipe with one round make its statistic."""
        return Weights(np.ones(self.parts))

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """Yields tables of rows, is sent what they told, and returns the weights of the parts.

        Args:
            n: Number of samples; a sample that needs no more rows is left out of later tables.
            norm: Tells how large the attributions are that some weights give.

        Returns:
            A generator; its return value are the `Weights`.
        """
        yield self.table(n)
        return self.weights()

    @property
    def one_round(self) -> bool:
        """Whether all rows are known before the first gradient."""
        return type(self).rounds is Recipe.rounds

    @property
    def repeats(self) -> bool:
        """Whether `table` repeats the rows of one sample for all: a long one is not written down.

        Such a recipe has one round, and weights that do not depend on the number of samples.
        """
        return False

    @property
    def called(self) -> tuple[Callable[..., Any], ...]:
        """Functions of the user's that `place` calls, followed for changes as the model is."""
        return ()

    @property
    def drawn_from(self) -> int | None:
        """The seed of what is random about the rows; None where nothing is."""
        return None if self.noise is None else self.noise[0]

    def over(self, references: int) -> Recipe:
        """Returns the recipe for `references` baselines per sample.

        Raises:
            InputError: There are several, and the recipe does not say what it does with them.
        """
        if references > 1:
            raise InputError(
                f"there are {references} baselines per sample; expected one, which this method's "
                f"path starts from: call it once for each and average the maps"
            )
        return self

    def at_input(self, rows: Rows[Array]) -> Array:
        """Says which of the `rows` are the input itself, so that f(x) is known from them: (R,)."""
        return np.ones(len(rows), dtype=bool)

    def course(self, rows: Rows[Array], told: Told) -> Course | None:
        """Says how the score goes along the samples' paths, by what all their `rows` (R,) `told`.

        None where that says nothing about the ends of the paths.
        """
        return None

    def walk(self, n: int) -> Walk:
        """Returns what follows `n` samples as `course` does, where a long table comes in pieces."""
        return Walk()

    def shape(self, sample: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the shape of what a row adds, for an input with samples of the shape `sample`."""
        return sample

    def describe(self, rows: Rows[Array], row: int) -> str:
        """Names the point of a `row` of the `rows` (R,) for an error message."""
        return "at the input"

    # -- on native tensors ------------------------------------------------------------------------

    def begin(self, backend: GradBackend, x: Tensor) -> Tensor:
        """Returns where paths to samples `x` (N, ...) of one input start, if `origin` is "input".

        `backend` supplies the verbs.
        """
        return x

    def start(self, backend: GradBackend, x: Tensor, baseline: Tensor | None) -> Carry:
        """Returns what the samples `x` (M, ...) of one input take along, (M, ...) each.

        `backend` supplies the verbs. `baseline` is (M, ...) or (1, ...); None for recipes without.
        """
        return ()

    def place(self, backend: GradBackend, at: Spot) -> tuple[Tensor, Tensor | None]:
        """Returns the points (R, ...) of one input's rows, and how fast they move on their path.

        `backend` supplies the verbs; what is known about the rows stands in `at`. The velocity
        (R, ...) is the derivative of the point by alpha; None without a path.
        """
        return at.x, None

    def flow(self, backend: GradBackend, gradient: Tensor, velocity: Tensor) -> Tensor:
        """Flow for `step`, of `gradient` and `velocity` (R, ...), with verbs of `backend`."""
        return gradient * velocity

    def step(
        self,
        backend: GradBackend,
        rows: Rows[Tensor],
        scores: Tensor,
        gradients: list[Tensor],
        flow: list[Tensor],
        carry: list[Carry],
    ) -> tuple[list[Tensor], list[Carry]]:
        """Returns what the rows add to the sums, and what their samples take along from here.

        Args:
            backend: Supplies the verbs.
            rows: The rows' columns, (R,) each.
            scores: (R,) scores.
            gradients: (R, ...) per input; attributions where another method is inside.
            flow: (R, ...) per input, gradient times velocity; empty without a path.
            carry: Per input what `start`, or the sample's last row, gave.

        Returns:
            Per input the shares (R, ...), and what the rows' samples take along, (R, ...) each.
        """
        return gradients, carry

    def finish(
        self, backend: GradBackend, statistic: Tensor, x: Tensor, baseline: Tensor | None
    ) -> Tensor:
        """Turns the `statistic` (M, ...) of one input, at `x` (M, ...), into attributions.

        `backend` supplies the verbs. `baseline` is (M, ...) or (1, ...); None for recipes without,
        or with several per sample.
        """
        return statistic
