"""The paths of all samples together: their tables, what these told, the weights they make."""

from __future__ import annotations

import numpy as np

from polyattr.sampling.adaptive.one_path import OnePath
from polyattr.sampling.errors.intervals import Intervals, Kinks
from polyattr.sampling.errors.norm import Norm, Weights
from polyattr.sampling.recipe import Array
from polyattr.sampling.rows import Rows, Told


def table(paths: list[OnePath], wanted: dict[int, Array]) -> Rows[Array]:
    """The rows of the points that are wanted, (R,) columns, samples running fastest."""
    added = [(i, alpha, paths[i].add(alpha)) for i, alpha in wanted.items()]
    sample = np.concatenate([np.full(len(alpha), i) for i, alpha, _ in added])
    alpha = np.concatenate([alpha for _, alpha, _ in added])
    part = np.concatenate([part for _, _, part in added])
    number = np.concatenate([np.arange(len(alpha)) for _, alpha, _ in added])
    order = np.lexsort((sample, number))
    return Rows(sample[order], part[order], np.ones(len(order)), alpha=alpha[order])


def heard(paths: list[OnePath], rows: Rows[Array], told: Told) -> None:
    """Hands each path what its new rows told, in the order of their parts."""
    for i in np.unique(rows.sample):
        own = np.flatnonzero(rows.sample == i)
        own = own[np.argsort(rows.part[own])]
        paths[i].hear(told.scores[own], told.slopes[own])


def measured(paths: list[OnePath], live: list[int], norm: Norm) -> None:
    """Hands the live paths how far gradients are apart over intervals that are new."""
    fresh = intervals(paths, live, fresh=True)
    jumps = norm.jumps(fresh)
    for i in live:
        paths[i].jump[np.isnan(paths[i].jump)] = jumps[fresh.sample == i]


def rules(paths: list[OnePath], live: list[int]) -> tuple[Array, Array]:
    """Returns the weights (N, G) of the live paths' rules, and of those with half the points."""
    parts = 1 + max(int(path.part.max()) for path in paths)
    here, there = np.zeros((2, len(paths), parts))
    for i in live:
        here[i], there[i] = paths[i].rules(parts)
    return here, there


def weights(paths: list[OnePath]) -> Weights:
    """Returns how the gradients that were kept make the maps, and what they tell of their error."""
    live = list(range(len(paths)))
    bound = np.array([path.jump.sum() for path in paths])
    share = np.array([path.share for path in paths])
    return Weights(rules(paths, live)[0], kinks=Kinks(intervals(paths, live), bound, share))


def intervals(paths: list[OnePath], live: list[int], fresh: bool = False) -> Intervals:
    """The pieces of the live paths; of the `fresh` ones alone those that were not measured."""
    columns: list[list[Array]] = [[], [], [], []]
    for i in live:
        path = paths[i]
        chosen = np.flatnonzero(np.isnan(path.jump)) if fresh else np.arange(len(path.jump))
        left, right = path.part[chosen], path.part[chosen + 1]
        width = path.at[chosen + 1] - path.at[chosen]
        for column, values in zip(
            columns, (np.full(len(chosen), i), left, right, width), strict=True
        ):
            column.append(values)
    return Intervals(*(np.concatenate(column) for column in columns))
