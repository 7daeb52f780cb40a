"""Scores at any points of the samples of a call, for what asks about the model and not the map."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.forward import Forward, clipped_range, row_taker
from polyattr.engine.plan.pieces import row_tiles
from polyattr.engine.question import Question
from polyattr.errors import InputError
from polyattr.explainer.binding.bound import Bound
from polyattr.explainer.binding.finite import checked_finite
from polyattr.explainer.options import Options
from polyattr.question.baselines import read_baselines
from polyattr.question.references import References
from polyattr.scores.each import Each

Array = np.ndarray[Any, Any]
Found = TypeVar("Found")
Take = Callable[[list[Tensor]], list[Tensor]]

Place = Callable[[Array, Take], list[Tensor]]
"""Makes the points (R, ...) of each input for the rows (R,) of a tile, numbers among all rows; what
it is handed takes the rows of the samples they belong to out of tensors (N, ...)."""


@dataclass(frozen=True)
class Points:
    """The samples of a call, whose score can be asked for anywhere.

    Attributes:
        forward: Evaluates the model.
        question: What is explained of which samples, in the space that is attributed to.
        references: Where the method's own paths start; None for methods without.
        batch_size: Most rows per evaluation.
    """

    forward: Forward
    question: Question
    references: References | None
    batch_size: int | None

    @property
    def backend(self) -> GradBackend:
        """The framework."""
        return self.forward.backend

    @property
    def n(self) -> int:
        """Number of samples, N."""
        return self.question.inputs.n

    @property
    def leaves(self) -> list[Tensor]:
        """The samples (N, ...) of each input."""
        return self.question.inputs.leaves

    def replacement(self, value: Any, name: str) -> list[Tensor]:
        """Reads what takes the place of features, (1, ...) or (N, ...) for each input.

        Args:
            value: What a baseline may be, in the shape of what is attributed to.
            name: The argument it was given as, for messages.

        Raises:
            InputError: Several for each sample, or what no baseline may be.
        """
        read = read_baselines(value, self.question.inputs, self.backend, name)
        if read.count > 1:
            raise InputError(f"{name} has {read.count} values per sample; expected one")
        return read.leaves

    def starts(self, value: Any, name: str) -> list[list[Tensor]]:
        """Returns the baselines, each (1, ...) or (N, ...) per input; None is the method's own.

        Of a method without one, it is 0. Takes and raises what `replacement` does.
        """
        own = self.references
        if value is not None or own is None:
            return [self.replacement(0.0 if value is None else value, name)]
        if own.count == 1:
            return [own.leaves]
        n = 1 if own.shared else self.n
        return [self._taken(own.leaves, np.arange(n) * own.count + k) for k in range(own.count)]

    def _taken(self, leaves: list[Tensor], index: Array) -> list[Tensor]:
        return row_taker(self.backend, index)(leaves)

    def tile(self, samples: Array, place: Place, tell: Callable[[Array, Array], None]) -> None:
        """Evaluates scores tile by tile.

        Args:
            samples: (R,) which sample each row belongs to.
            place: Makes the points of a tile.
            tell: Is told the rows (r,) of a tile, and their scores (r,).
        """
        call_rows = len(samples)
        for first, rows in row_tiles(call_rows, self.batch_size, few=self.forward.kernels.few):
            each = clipped_range(first, rows, call_rows)
            live = min(rows, call_rows - first)
            owners = samples[each].astype(np.int32)
            points = place(each, row_taker(self.backend, owners))
            tell(each[:live], self._scores(owners, points)[:live])

    def scores(self, samples: Array, place: Place) -> Array:
        """Returns the scores (R,) of rows that belong to `samples` (R,), as `place` makes them."""
        found = np.empty(len(samples))

        def tell(rows: Array, scores: Array) -> None:
            found[rows] = scores

        self.tile(samples, place, tell)
        return found

    def scores_at(self, leaves: list[Tensor]) -> Array:
        """Returns the scores (N,) of the samples with `leaves` (N, ...) in the place of theirs."""
        return self.scores(np.arange(self.n), lambda _rows, take: take(leaves))

    def _scores(self, owners: Array, points: list[Tensor]) -> Array:
        asked = self.question.take(self.backend, owners).at(points)
        goals = asked.targets
        rows = asked.inputs, goals.rule, goals.columns, self.batch_size
        return self.forward.scores(points, *rows)


def score(
    bound: Bound, inputs: Any, targets: Any, options: Options, use: Callable[[Points], Found]
) -> Found:
    """Returns what `use` makes of the scores of one batch, which it may ask for at any points.

    The user's objects are as they were afterwards.

    Args:
        bound: The method on its model.
        inputs: As the user passed them.
        targets: Likewise.
        options: Likewise.
        use: May be called again, if the model turns out to keep a state.

    Raises:
        InputError: Several targets for each sample.
    """
    if isinstance(targets, Each):
        raise InputError(
            f"targets is {targets!r}; expected one target for each sample: measure each of them in "
            f"a call of its own"
        )
    bound.kernels.doubt = bound.watch.doubt
    given = bound.given(inputs, options)

    def answer() -> Found:
        read = bound.asked(given, targets, options, False)
        size = bound.batch_size(read.question.inputs)
        return use(Points(bound.forward, read.question, read.references, size))

    # Points have any number of rows: what other calls of a compiled model left says nothing.
    alike = None if bound.kernels.compiling else ()
    with checked_finite(given, bound.backend, late=False):
        return bound.answered(given, targets, options, alike, answer)
