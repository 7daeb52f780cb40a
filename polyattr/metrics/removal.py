"""Curves of the score as features are removed, or inserted, in the order of their attributions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from polyattr.backend import Tensor
from polyattr.errors import InputError
from polyattr.explainer.binding.points import Points, Take
from polyattr.metrics.batch import Batch
from polyattr.metrics.features import ranked, read_features
from polyattr.metrics.records.measurement import OF_SAMPLES, Measurement
from polyattr.question.checks import check_count, check_flag

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = np.ndarray[Any, Any]

RANKINGS = ("value", "magnitude")

OF_CURVES = """
Args:
    steps: How many portions of about equal size are removed; at most one for each feature.
    rank_by: "value" removes what speaks most for the score first, "magnitude" what speaks most
        for or against it.
    normalise: Measure scores from f(replacement), relative to f(x) - f(replacement).
"""


@dataclass(frozen=True, repr=False)
class Curve(Measurement):
    """What `deletion` and `insertion` find: a curve for each sample, and the area under it.

    Takes the arguments of `Measurement`; its `values` are the areas.

    Attributes:
        scores: (N, K) the score at each point of the curve, in the units of the explained output.
        fractions: (K,) how much has been removed, or inserted, at each point: 0 to 1.
        tied: (N,) share of the features that are as large as another one, whose order is drawn.

    Example:
        >>> import polyattr, torch
        >>> from polyattr import metrics
        >>> method = polyattr.GradientInput(lambda x: x.sum(1))
        >>> metrics.deletion(method, torch.tensor([[3.0, 1.0]])).scores
        array([[4., 1., 0.]])
    """

    scores: Array = field(default=None, metadata=OF_SAMPLES)  # type: ignore[arg-type]
    fractions: Array = None  # type: ignore[assignment]  # always given
    tied: Array = field(default=None, metadata=OF_SAMPLES)  # type: ignore[arg-type]

    def _columns(self) -> dict[str, Array]:
        return {"tied": self.tied}

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draws the mean curve with its standard error, and faintly those of the samples.

        Takes the argument `ax` of `Measurement.plot`, returns the axes and raises its errors.

        Example:
            >>> import polyattr, torch
            >>> from polyattr import metrics
            >>> method = polyattr.GradientInput(lambda x: x.sum(1))
            >>> ax = metrics.deletion(method, torch.tensor([[3.0, 1.0]])).plot()
            >>> ax.get_xlabel()
            'fraction of features removed'
        """
        from polyattr.metrics.records.figures import (
            curve,  # late: a number needs no drawing library
        )

        return curve(self, ax)


@dataclass(frozen=True)
class Removal:
    """The arguments of a curve.

    Attributes:
        replacement: What takes the place of removed features.
        steps: Most points of the curve behind the first one.
        channel_axis: Whose entries are one feature together.
        rank_by: "value" or "magnitude" of attributions.
        normalise: Whether scores are measured from f(replacement), relative to f(x) from there.
        seed: Of the order of equal features.
    """

    replacement: Any
    steps: int
    channel_axis: int | None
    rank_by: str
    normalise: bool
    seed: int

    def __post_init__(self) -> None:
        check_count("steps", self.steps, 1)
        check_count("seed", self.seed, -(2**63))
        check_flag("normalise", self.normalise)
        if not isinstance(self.rank_by, str) or self.rank_by not in RANKINGS:
            raise InputError(
                f"rank_by is {self.rank_by!r}; expected 'value', the largest attributions first, "
                f"or 'magnitude', the largest of either sign first"
            )

    def measure(self, batch: Batch, insert: bool) -> Curve:
        """Measures one batch, removing features or inserting them."""

        def use(points: Points, maps: list[Array]) -> tuple[Array, Array, Array]:
            features = read_features(maps, self.channel_axis)
            by = features.of(maps)
            ranks, tied = ranked(
                np.abs(by) if self.rank_by == "magnitude" else by, *self._of(batch)
            )
            counts = np.unique(np.linspace(0, features.total, self.steps + 1).round().astype(int))
            start = points.replacement(self.replacement, "replacement")
            scores = _walked(points, features.apart(ranks), start, counts, insert)
            scores[np.isnan(by).any(axis=1)] = np.nan
            return scores, counts / features.total, tied

        scores, fractions, tied = batch.score(use)
        if self.normalise:
            scores = _normalised(scores, insert)
        areas = np.trapezoid(scores, fractions) if hasattr(np, "trapezoid") else None
        areas = np.trapz(scores, fractions) if areas is None else areas  # type: ignore[attr-defined]
        return Curve(
            "insertion" if insert else "deletion",
            repr(batch.method),
            np.asarray(areas, dtype=np.float64),
            settings=vars(self),
            better="higher" if insert else "lower",
            scores=scores,
            fractions=fractions,
            tied=tied,
        )

    def _of(self, batch: Batch) -> tuple[int, Array]:
        return self.seed, batch.ids


def _normalised(scores: Array, insert: bool) -> Array:
    """Returns curves (N, K) that go from 1 to 0, or from 0 to 1; NaN where both ends are equal."""
    first, last = scores[:, :1], scores[:, -1:]
    whole, empty = (last, first) if insert else (first, last)
    apart = whole - empty
    found: Array = np.full_like(scores, np.nan)
    np.divide(scores - empty, apart, out=found, where=apart != 0)
    return found


def _walked(
    points: Points, ranks: list[Array], start: list[Tensor], counts: Array, insert: bool
) -> Array:
    """Returns scores (N, K) with the first `counts` (K,) features removed, or inserted alone."""
    backend, leaves = points.backend, points.leaves
    order = [backend.to_native(r, x) for r, x in zip(ranks, leaves, strict=True)]
    k = len(counts)

    def place(rows: Array, take: Take) -> list[Tensor]:
        taken = take([*leaves, *order])
        # What all samples share has one row.
        begins = [s if int(s.shape[0]) == 1 else take([s])[0] for s in start]
        most = backend.to_native(counts[rows % k].astype(np.int32), leaves[0])
        found = []
        for x, rank, begin in zip(taken[: len(leaves)], taken[len(leaves) :], begins, strict=True):
            behind = backend.cast(rank >= backend.column(most, rank), backend.dtype(x))
            kept = 1 - behind if insert else behind
            found.append(x * kept + begin * (1 - kept))
        return found

    samples = np.repeat(np.arange(points.n), k)
    return points.scores(samples, place).reshape(points.n, k)
