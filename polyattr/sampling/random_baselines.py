"""Paths from baselines drawn at random from background data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from polyattr.sampling.course import Course
from polyattr.sampling.noisy_copies import group_weights, independent_groups
from polyattr.sampling.recipe import Array, Norm, Recipe, Rounds, Told, Weights
from polyattr.sampling.rows import Rows
from polyattr.sampling.straight_path import INSIDE, PathIntegral


@dataclass(frozen=True)
class RandomBaselines(PathIntegral):
    """One point on one path per draw; every sample uses the same draws.

    The background rows come in random order, each as often as the others up to one, and the alphas
    are stratified: one in each of P equal pieces of the path, in random order. A part is a group of
    draws; strata across groups make their spread an overestimate, if anything. Takes the arguments
    of `StraightPath` too, of which `references` is the number of background rows.

    Attributes:
        count: Draws per sample, P.
        seed: Of the draws.
        nodes: Not used: the alphas are drawn.
        references: Rows of the background, B.
        statistic: See `Recipe`.
        noise: See `Recipe`.

    Example:
        >>> from polyattr.sampling import RandomBaselines
        >>> sorted(RandomBaselines(count=4, references=2).table(1).reference.tolist())
        [0, 0, 1, 1]
    """

    origin: ClassVar[str | None] = "background"
    sampled: ClassVar[bool] = True
    cure: ClassVar[str] = "leave these samples out, or take rows that cause it out of background"
    count: int = 1
    seed: int = 0

    @property
    def more(self) -> str:  # type: ignore[override]  # a constant here
        """What to do about an error above the tolerance."""
        return "raise nb_samples"

    @property
    def drawn_from(self) -> int | None:
        """The seed of the draws."""
        return self.seed

    @property
    def parts(self) -> int:
        """Groups of draws."""
        return independent_groups(self.count)

    @property
    def one_round(self) -> bool:
        """All draws are known in advance, unless a subclass chooses its rows."""
        return type(self).rounds is RandomBaselines.rounds

    def table(self, n: int) -> Rows[Array]:
        """A row per draw."""
        # Philox gives the same numbers wherever NumPy runs; a stream of its own, apart from noise.
        key = np.array([self.seed & 0xFFFFFFFFFFFFFFFF, 1], dtype=np.uint64)
        generator = np.random.Generator(np.random.Philox(key=key))
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
        """A single round."""
        yield self.table(n)
        return self.weights()

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
