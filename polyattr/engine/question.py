"""What the engine is asked, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.forward import row_taker
from polyattr.engine.sums.report import Measured
from polyattr.engine.sums.spread import Errors
from polyattr.question.inputs import Inputs
from polyattr.question.references import References
from polyattr.results.non_finite import NonFinite
from polyattr.sampling.errors.course import Course
from polyattr.scores.each import interleaved
from polyattr.scores.targets import Targets

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Question:
    """One call, normalised: everything the answer may depend on.

    Attributes:
        inputs: The samples.
        targets: What is explained.
        references: Where paths start; None for methods without a path.
        scores: (N,) scores f(x), where they are known already.
        ids: (N,) what samples are called, for draws of their own; their places if None.
    """

    inputs: Inputs
    targets: Targets
    references: References | None = None
    scores: Array | None = None
    ids: Array | None = None

    @property
    def row_ids(self) -> Array:
        """What the samples are called (N,)."""
        return np.arange(self.inputs.n) if self.ids is None else self.ids

    def take(self, backend: GradBackend, index: Array | None, fan: int = 1) -> Question:
        """Returns the question about the samples at `index` (M,); about all for None.

        Of those, `fan` in a row are known to be the same but for their targets.
        """
        if index is None:
            return self
        rows = row_taker(backend, index)
        return Question(
            self.inputs.take(rows, len(index), fan),
            replace(self.targets, columns=rows(self.targets.columns)),
            None if self.references is None else self.references.take(backend, index),
            ids=self.row_ids[index],
        )

    def each(self, backend: GradBackend, every: list[Targets], asked: tuple[Any, ...]) -> Question:
        """Returns the question with every sample T times in a row, once with each target.

        Args:
            backend: The framework.
            every: T targets of the samples, as they were read.
            asked: The same as the user passed them, for messages.

        Raises:
            InputError: They are not of one kind.
        """
        index = np.repeat(np.arange(self.inputs.n), len(every)).astype(np.int32)
        repeated = self.take(backend, index, len(every))
        return replace(repeated, targets=interleaved(backend, every, asked))

    def at(self, points: list[Tensor]) -> Question:
        """Returns the same question at other points (N, ...) of the same samples."""
        return replace(self, inputs=replace(self.inputs, leaves=points))


@dataclass(frozen=True)
class Answer:
    """What the engine found.

    Attributes:
        values: (N, ...) attributions per input, in the dtype of the accumulators.
        errors: How far off the values may be; None where it was not asked for or cannot be told.
        non_finite: Samples whose gradient is not finite somewhere.
        evaluations: (N,) gradient evaluations spent on each sample.
        scores: (N,) scores f(x), where a row was the input itself.
        slope: (N,) gradient times velocity, integrated over the path; None without a path.
        course: How scores go along the paths, where that came for free.
        measured: Sizes of the maps, where they came with what rows told.
        bad: (M,) rows of the question that are marked: nothing is known of them.
    """

    values: list[Tensor]
    errors: Errors | None
    non_finite: NonFinite
    evaluations: Array
    scores: Array | None
    slope: Array | None
    course: Course | None = None
    measured: Measured | None = None
    bad: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def marked(self, backend: GradBackend, bad: Array) -> Answer:
        """Returns the same with NaN for what belongs to the rows `bad` (M,), and no other."""
        if not len(bad):
            return self
        factor = np.ones(len(self.evaluations))
        factor[bad] = np.nan

        def apart(leaf: Tensor) -> Tensor:
            # Times 1 is the same to the last bit.
            native = backend.to_native(factor, leaf, backend.dtype(leaf))
            return leaf * backend.column(native, leaf)

        errors, course = self.errors, self.course
        if errors is not None:
            bound = None if errors.bound is None else apart(errors.bound)
            errors = Errors([apart(leaf) for leaf in errors.standard], bound)
        return replace(
            self,
            values=[apart(leaf) for leaf in self.values],
            errors=errors,
            slope=None if self.slope is None else self.slope * factor,
            course=None if course is None else Course(*(part * factor for part in course)),
            measured=None if self.measured is None else self.measured.times(factor),
            bad=bad,
        )
