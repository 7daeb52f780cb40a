"""What a block of samples begins with, and what its running sums become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.sums.report import pack
from polyattr.engine.sums.spread import Errors, path_errors, share_like, standard_error
from polyattr.errors import InputError
from polyattr.sampling.errors.norm import Weights
from polyattr.sampling.recipe import Carry, Recipe

Array = np.ndarray[Any, Any]

Finished = tuple[list[Tensor], Errors | None, Tensor | None]
"""Attributions (M, ...) per input, their errors, and both with the log as they are reported."""


@dataclass(frozen=True)
class Start:
    """Makes what a block begins with; holds no tensor, so that a kernel may keep it.

    Attributes:
        backend: The framework.
        recipe: The method.
        size: Segments of the sums, S.
    """

    backend: GradBackend
    recipe: Recipe
    size: int

    def __call__(
        self, leaves: list[Tensor], starts: list[Tensor]
    ) -> tuple[list[tuple[Tensor, ...]], list[Carry]]:
        """Returns sums of nothing (S, ...) and what each sample takes along, per input.

        Args:
            leaves: The samples (M, ...).
            starts: Where their paths start (M, ...) or (1, ...); empty where nothing says so.

        Raises:
            InputError: Samples take something along whose rows come together.
        """
        backend, recipe = self.backend, self.recipe
        shares = [share_like(backend, recipe, leaf) for leaf in leaves]
        parts = [recipe.statistic.start(backend, share, self.size) for share in shares]
        # Later kernels may overwrite their state, so that must not be the user's own tensor, nor
        # the same one twice.
        carry = [
            tuple(part * 1 for part in recipe.start(backend, leaf, starts[i] if starts else None))
            for i, leaf in enumerate(leaves)
        ]
        if any(carry) and not recipe.sequential:
            raise InputError(
                f"{type(recipe).__name__}.start gives samples something to take along, but their "
                f"rows come together; expected sequential = True and the turn of each row"
            )
        return parts, carry


@dataclass(frozen=True)
class Finish:
    """Makes attributions of sums; holds no tensor, so that a kernel may keep it.

    Attributes:
        backend: The framework.
        recipe: The method.
        counts: (G,) rows that each part has of every sample, or (G, M) where samples differ.
        neighbours: Whether the rows have a width, so that the sums tell of neighbouring points.
    """

    backend: GradBackend
    recipe: Recipe
    counts: Array
    neighbours: bool

    def run(
        self,
        weights: Weights,
        state: Sequence[tuple[Tensor, ...]],
        leaves: Sequence[Tensor],
        starts: Sequence[Tensor],
        log: Tensor | None = None,
        *,
        errors: bool,
    ) -> Finished:
        """Returns the attributions (M, ...) per input, and if wanted their errors and a report.

        Args:
            weights: Of the parts.
            state: The sums (S, ...) of each input's statistic.
            leaves: The samples (M, ...).
            starts: Where their paths start (M, ...) or (1, ...); empty where nothing says so.
            log: What rows told (2 C,), where it is wanted together with the sizes of values and
                errors.
            errors: Whether errors are wanted.
        """
        values = self.values(weights.value, state, leaves, starts)
        known = self.errors(weights, values, state, leaves, starts) if errors else None
        packed = None if log is None else pack(self.backend, log, values, known, leaves)
        return values, known, packed

    def values(
        self,
        weights: Array,
        state: Sequence[tuple[Tensor, ...]],
        leaves: Sequence[Tensor],
        starts: Sequence[Tensor],
    ) -> list[Tensor]:
        """Returns the attributions that `weights` (G,) or (N, G) of the parts give."""
        backend, parts, found = self.backend, len(self.counts), []
        weights = weights[..., :parts]  # parts without a row have no weight
        if weights.ndim == 2:
            short = self.counts.shape[1] - len(weights), parts - weights.shape[1]
            weights = np.pad(weights, ((0, short[0]), (0, short[1])))
        for i, (leaf, sums) in enumerate(zip(leaves, state, strict=True)):
            wide = backend.accumulator_dtype(leaf)
            start = backend.cast(starts[i], wide) if starts else None
            statistic = self.recipe.statistic.combine(backend, sums, weights, self.counts)
            found.append(self.recipe.finish(backend, statistic, backend.cast(leaf, wide), start))
        return found

    def errors(
        self,
        weights: Weights,
        values: Sequence[Tensor],
        state: Sequence[tuple[Tensor, ...]],
        leaves: Sequence[Tensor],
        starts: Sequence[Tensor],
    ) -> Errors | None:
        """Returns how far off each of the `values` may be; None where the sums do not tell it."""
        backend = self.backend
        if weights.others:
            each = (self.values(other, state, leaves, starts) for other in weights.others)
            pairs, scale = zip(values, zip(*each, strict=True), strict=True), weights.scale
            return Errors([standard_error(backend, v, other, scale) for v, other in pairs])
        # What a method makes of its integrals has an error of its own.
        plain = type(self.recipe).finish is Recipe.finish and self.recipe.parts == 1
        if weights.smooth is None or not self.neighbours or not plain:
            return None
        jumps = [self.recipe.statistic.told(backend, sums) for sums in state]
        return Errors(*path_errors(backend, jumps, weights.smooth))

    def key(self, weights: Weights, errors: bool) -> tuple[object, ...]:
        """Names what `run` computes, for one set of weights and counts."""
        arrays = (weights.value, *weights.others, self.counts)
        beside = weights.scale, weights.smooth, self.neighbours, errors
        return ("finish", self.recipe, *(a.tobytes() for a in arrays), *beside)
