"""Paths from baselines drawn at random from background data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from polyattr.sampling.drawing.enough import FEWEST_DRAWS, GROUPS, enough
from polyattr.sampling.errors.course import Course, Walk
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.noisy_copies import group_weights, independent_groups
from polyattr.sampling.quadrature import INSIDE
from polyattr.sampling.recipe import Array, Recipe, Rounds
from polyattr.sampling.rows import Rows, Told
from polyattr.sampling.statistics import Mean, Statistic
from polyattr.sampling.straight_path import PathIntegral

_GOLDEN = (5**0.5 - 1) / 2
"""Steps of this size, modulo 1, fill the path most evenly, however many there are."""


@dataclass(frozen=True)
class RandomBaselines(PathIntegral):
    """One point on one path per draw; every sample uses the same draws.

    The background rows come in random order, each as often as the others up to one, and the alphas
    are stratified: one in each of P equal pieces of the path, in random order. A part is a group of
    draws; strata across groups, and a background of few rows, make their spread an overestimate.
    With a `tolerance` every group goes through the background in an order of its own, and its
    alphas are those of a sequence that fills the path evenly from a random start: their spread is
    then the error. Takes the arguments of `StraightPath` too, of which `references` is the number
    of background rows.

    Attributes:
        count: Draws per sample, P; the most of them where there is a `tolerance`.
        seed: Of the draws.
        tolerance: Relative standard error at which a sample has draws enough; None for `count`.
        nodes: Not used: the alphas are drawn.
        references: Rows of the background, B.
        statistic: See `Recipe`; a mean, since neighbours in the table are none on a path.
        noise: See `Recipe`.

    Example:
        >>> from polyattr.sampling import RandomBaselines
        >>> sorted(RandomBaselines(count=4, references=2).table(1).reference.tolist())
        [0, 0, 1, 1]
    """

    origin: ClassVar[str | None] = "background"
    sampled: ClassVar[bool] = True
    statistic: Statistic = field(default_factory=Mean)
    cure: ClassVar[str] = "leave these samples out, or take rows that cause it out of background"
    count: int = 1
    seed: int = 0
    tolerance: float | None = None

    @property
    def more(self) -> str:  # type: ignore[override]  # depends on what was asked for
        """What to do about an error above the tolerance."""
        return "raise nb_samples" if self.tolerance is None else "raise max_samples"

    @property
    def drawn_from(self) -> int | None:
        """The seed of the draws."""
        return self.seed

    @property
    def parts(self) -> int:
        """Groups of draws."""
        return independent_groups(self.count) if self.tolerance is None else GROUPS

    @property
    def one_round(self) -> bool:
        """Whether the number of draws is fixed, unless a subclass chooses its rows."""
        return self.tolerance is None and type(self).rounds is RandomBaselines.rounds

    @property
    def repeats(self) -> bool:
        """Whether the number of draws is fixed, unless a subclass has a table of its own."""
        return self.one_round and type(self).table is RandomBaselines.table

    def walk(self, n: int) -> Walk:
        """One point on each path tells nothing of its ends."""
        return Walk()

    def table(self, n: int) -> Rows[Array]:
        """A row per draw; of the first round, where there are several."""
        if self.tolerance is not None:
            number = np.repeat(np.arange(FEWEST_DRAWS), n)
            return self._numbered(np.tile(np.arange(n), FEWEST_DRAWS), number)
        generator = self._generator(0)
        rounds = -(-self.count // self.references)
        drawn = [generator.permutation(self.references) for _ in range(rounds)]
        strata = generator.permutation(self.count) + generator.random(self.count)
        # As far inside as the first node of a rule.
        strata = np.maximum(strata, INSIDE)
        return Rows.over(
            n,
            weight=np.full(self.count, 1.0 / self.count),
            part=self._group,
            alpha=strata / self.count,
            reference=np.concatenate(drawn)[: self.count],
        )

    def weights(self) -> Weights:
        """The spread of the groups gives the error of their mean."""
        return group_weights(np.bincount(self._group, minlength=self.parts) / self.count)

    def rounds(self, n: int, norm: Norm) -> Rounds:
        """A single round of `count` draws, or as many as are enough."""
        if self.tolerance is None:
            yield self.table(n)
            return self.weights()
        return (yield from enough(n, norm, self.tolerance, self.count, GROUPS, self._numbered))

    def _numbered(self, sample: Array, number: Array) -> Rows[Array]:
        """Draws with these numbers; groups take turns."""
        turns = -(-self.count // GROUPS)
        each = [self._group_draws(group, turns) for group in range(GROUPS)]
        start, order = np.array([s for s, _ in each]), np.stack([o for _, o in each])
        group, turn = number % GROUPS, number // GROUPS
        alpha = np.maximum((start[group] + turn * _GOLDEN) % 1, INSIDE / FEWEST_DRAWS)
        weight = np.ones(len(number))
        return Rows(sample, group, weight, alpha=alpha, reference=order[group, turn])

    def _group_draws(self, group: int, turns: int) -> tuple[float, Array]:
        """Where the alphas of a group start, and its order of background rows (turns,)."""
        generator = self._generator(group + 1)
        start = generator.random()
        passes = np.tile(np.arange(self.references), (-(-turns // self.references), 1))
        # Pass by pass: more turns continue the same order.
        return start, generator.permuted(passes, axis=1).ravel()[:turns]

    def _generator(self, stream: int) -> np.random.Generator:
        """Philox gives the same numbers wherever NumPy runs; streams of their own, not noise's."""
        key = np.array([self.seed & 0xFFFFFFFFFFFFFFFF, 1], dtype=np.uint64)
        counter = np.array([0, 0, stream, 0], dtype=np.uint64)
        return np.random.Generator(np.random.Philox(counter=counter, key=key))

    def course(self, rows: Rows[Array], told: Told) -> Course | None:
        """One point on each path tells nothing of its ends."""
        return None

    def over(self, references: int) -> Recipe:
        """Returns the recipe for a background of `references` rows."""
        return replace(self, references=references)

    @property
    def _group(self) -> Array:
        groups: Array = np.arange(self.count) * self.parts // self.count
        return groups
