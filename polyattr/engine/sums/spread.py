"""Sizes of maps and of their errors, whatever their scale: nothing under- or overflows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.intervals import Jumps
from polyattr.sampling.errors.smoothness import KINKED, MEAN_OF_NORMAL, SMOOTH
from polyattr.sampling.recipe import Recipe

Array = np.ndarray[Any, Any]


class Errors(NamedTuple):
    """How far off the attributions of a block, or of all samples, may be.

    Attributes:
        standard: (N, ...) standard error per input.
        bound: (N,) the most they are off, summed; None where nothing bounds it.
    """

    standard: list[Tensor]
    bound: Tensor | None = None


def share_like(backend: GradBackend, recipe: Recipe, leaf: Tensor) -> Tensor:
    """Returns a tensor of the shape and dtype of what rows add to the sums of an input `leaf`."""
    sample = tuple(leaf.shape[1:])
    shape = recipe.shape(sample)
    return leaf if shape == sample else backend.zeros((1, *shape), leaf, backend.dtype(leaf))


def in_all(backend: GradBackend, parts: Sequence[Tensor]) -> Tensor:
    """Returns the sum of numbers (N,) of all inputs, which may differ in precision."""
    dtypes = [backend.dtype(part) for part in parts]
    wide = [backend.cast(part, "float64" if "float64" in dtypes else dtypes[0]) for part in parts]
    return sum(wide[1:], start=wide[0])


def sizes(backend: GradBackend, leaves: Sequence[Tensor]) -> Tensor:
    """Returns the sum of magnitudes (N,) of each sample over all `leaves` (N, ...)."""
    return in_all(backend, [backend.row_sums(backend.absolute(leaf)) for leaf in leaves])


def path_errors(
    backend: GradBackend, jumps: Sequence[Jumps], smooth: float
) -> tuple[list[Tensor], Tensor]:
    """Returns the standard error (N, ...) of each integral, and the bound (N,) of all together.

    What kinks at unknown places leave, the larger the more neighbours differ, is several times too
    much where integrands are smooth: there the distance to a coarser rule falls faster.

    Args:
        backend: Supplies the verbs.
        jumps: What neighbours tell, per input.
        smooth: How many times the distance to the coarser rule exceeds the error where integrands
            are smooth; 1 for rules that are off by that distance in any case.
    """
    kinks = sizes(backend, [jump.root for jump in jumps]) * MEAN_OF_NORMAL
    moved = in_all(backend, [jump.moved for jump in jumps])
    some = kinks + backend.cast(kinks == 0, backend.dtype(kinks))
    ratio = moved / some
    factor = ratio
    if smooth != 1:
        factor = _least(backend, ratio / KINKED, ratio * ratio / (KINKED * SMOOTH))
        factor = backend.maximum(factor, ratio * (1 / smooth))
        factor = _least(backend, factor, factor * 0 + 1)
    roots = [jump.root for jump in jumps]
    bound = in_all(backend, [jump.bound for jump in jumps])
    # A rule off by that distance takes the gradient at one end for the whole of an interval.
    bound = bound * 2.0 if smooth == 1 else bound
    shares = (backend.column(backend.cast(factor, backend.dtype(root)), root) for root in roots)
    return [root * share for root, share in zip(roots, shares, strict=True)], bound


def _least(backend: GradBackend, a: Tensor, b: Tensor) -> Tensor:
    return -backend.maximum(-a, -b)


def norms(backend: GradBackend, leaves: Sequence[Tensor]) -> Array:
    """Returns the Euclidean norm over all `leaves` (N, ...) of each sample (N,), on the host.

    Squares of values below 1e-23 or above 1e19 do not exist in float32, so each sample is measured
    in units of its own summed magnitude.
    """
    unit = sizes(backend, leaves)
    unit = unit + backend.cast(unit == 0, backend.dtype(unit))
    squares = []
    for leaf in leaves:
        own = backend.cast(unit, backend.dtype(leaf))
        scaled = leaf / backend.column(own, leaf)
        squares.append(backend.to_numpy(backend.row_sums(scaled * scaled)))
    size = np.sqrt(np.sum(squares, axis=0, dtype=np.float64))
    whole: Array = size * backend.to_numpy(unit).astype(np.float64)
    return whole


def relative_error(
    backend: GradBackend, errors: Sequence[Tensor], values: Sequence[Tensor]
) -> Array:
    """Returns the expected L1 error of each map (N,) over its L1 norm, on the host.

    Of a normal error with the standard deviations `errors` (N, ...) per input, the expected
    magnitude is sqrt(2 / pi) of them; `values` (N, ...) are the map.
    """
    both = [sizes(backend, leaves) for leaves in (errors, values)]
    error, size = backend.to_numpy(backend.concat(both)).astype(np.float64).reshape(2, -1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(error == 0, 0.0, MEAN_OF_NORMAL * error / size)


def standard_error(
    backend: GradBackend, value: Tensor, others: Sequence[Tensor], scale: Sequence[float]
) -> Tensor:
    """Returns the root of the sum over k of ``scale[k] * (value - others[k])**2``, (M, ...)."""
    moves = [
        backend.absolute(other - value) * float(np.sqrt(s))
        for other, s in zip(others, scale, strict=True)
    ]
    if len(moves) == 1:
        return moves[0]
    largest = moves[0]
    for move in moves[1:]:
        largest = backend.maximum(largest, move)
    # In units of the largest of them; where that is 0, all are.
    unit = largest + backend.cast(largest == 0, backend.dtype(largest))
    squares = [(move / unit) ** 2 for move in moves]
    return largest * sum(squares[1:], start=squares[0]) ** 0.5
