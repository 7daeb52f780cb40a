"""The shapes of a call: how many samples a block has, how many rows a tile."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.sampling.errors.norm import Norm
from polyattr.sampling.recipe import Recipe

_FEWEST_ROWS, _MOST_ROWS = 4, 4096
_ACCELERATOR_FACTOR = 16
_ON_ACCELERATORS = 5_000_000
"""Numbers in a tile: of the time with 800,000, a CNN on 32 x 32 pixels takes 0.28 (torch) and 0.5
(JAX) on an H200."""
_OF_VECTORS = 800_000
"""Numbers in a tile on a CPU where samples are vectors, which dense layers take: of the time with
the tiles of pictures, 784 numbers take 0.6 in JAX, 0.7 in TensorFlow and 0.8 in torch."""
_CALL_ON_ACCELERATORS = 2_000_000
"""Numbers whose gradients an accelerator takes in less time than one more call costs."""
_SMALL_BLOCK = 8
_KEPT_ELEMENTS = 2**26
"""Numbers in all gradients that a block may come to keep, 256 MiB in float32; a single sample may
exceed it."""
_LOGGED_TILES = 64
"""Tiles of a recipe with several rounds whose scores and slopes are read at a time."""
_KEPT_TILES, _KEPT_ROWS = 64, 2**15
"""Most tiles, and rows, of a table whose columns are kept from call to call."""
_LOGGED_ROWS, _FEWEST_LOGGED = 2**13, 4
"""Rows of a long table that are read at a time, of which the host holds some hundred bytes each;
and tiles, at least."""


def auto_batch_size(elements_per_row: int, backend: GradBackend, like: Tensor) -> int:
    """Chooses the rows per gradient call from the size of one row.

    Args:
        elements_per_row: Numbers in one sample, over all inputs.
        backend: Says how many of them it works through fastest on a CPU.
        like: An input (N, ...): accelerators want larger tiles.
    """
    size, fewest = backend.tile_elements, _FEWEST_ROWS
    if len(like.shape) == 2:
        size = max(size, _OF_VECTORS)
    if backend.accelerated(like):
        size, fewest = max(size, _ON_ACCELERATORS), fewest * _ACCELERATOR_FACTOR
    return min(_MOST_ROWS, max(fewest, size // max(1, elements_per_row)))


def call_rows(elements_per_row: int, backend: GradBackend, like: Tensor) -> int:
    """Says how many rows cost as much as one more call at least; 0 where calls are cheap, on a CPU.

    Args:
        elements_per_row: Numbers in one sample, over all inputs.
        backend: Says what is an accelerator.
        like: An input (N, ...).
    """
    if not (backend.readable(like) and backend.accelerated(like)):
        return 0
    return max(1, _CALL_ON_ACCELERATORS // max(1, elements_per_row))


def balanced(total: int, most: int) -> tuple[int, int]:
    """Splits `total` into the fewest parts of at most `most`: (number of parts, size of each)."""
    parts = -(-total // most)
    return parts, -(-total // parts)


@dataclass(frozen=True)
class Sheet:
    """The shapes of one call: the same for every tile, so that nothing is compiled twice.

    Attributes:
        samples: Samples per block, M.
        rows: Rows per tile, R.
        capacity: Rows whose scores and slopes are kept before they are read.
        together: How many rows in a row may share a point, of samples that differ in their targets
            alone; a divisor of the rows, and of how many such samples there are.
        draws: Noise draws per tile; 0 for as many as some tile of the block needs.
    """

    samples: int
    rows: int
    capacity: int
    together: int = 1
    draws: int = 0

    @property
    def stays(self) -> bool:
        """Whether columns of all rows, if they are known, may stay on the device between calls."""
        return self.capacity <= min(_KEPT_TILES * self.rows, _KEPT_ROWS)

    def in_pieces(self) -> Sheet:
        """Returns the shapes for a table that is cut, run and read in pieces, unless it is short.

        Memory must not grow with the number of rows.
        """
        if self.stays:
            return self
        most = max(_FEWEST_LOGGED, _LOGGED_ROWS // self.rows)
        return replace(self, capacity=min(self.capacity, most * self.rows))

    def fanned(self, fan: int, together: int) -> Sheet:
        """Returns the shapes for every sample so often in a row, once with each of its targets.

        As for the samples without their targets, neither blocks nor tiles split what is shared.
        """
        rows, samples = self.rows * together, self.samples * fan
        return Sheet(samples, rows, self.capacity * fan, together, min(rows, self.draws * fan))


def plan_sheet(
    n: int, recipe: Recipe, batch_size: int | None, fan: int = 1, elements: int = 1
) -> Sheet:
    """Plans the shapes for `n` samples, all blocks alike.

    Args:
        n: Number of samples.
        recipe: Says how many rows a sample has.
        batch_size: Most rows per gradient call; None for all in one call.
        fan: How many samples in a row differ in their targets alone.
        elements: Numbers in one sample, over all inputs.
    """
    if fan > 1:
        together = shared_rows(fan, batch_size or n)
        few = batch_size and batch_size // together
        return plan_sheet(n // fan, recipe, few, elements=elements * fan).fanned(fan, together)
    if recipe.sequential or not recipe.one_round:
        most = most_samples(recipe, batch_size or n, elements)
        return sheet_of(min(n, most), recipe, batch_size)
    points = len(recipe.table(1))
    most = min(batch_size or n * points, n * points)
    return sheet_of(_block_size(n, points, most), recipe, most)


def shared_rows(fan: int, rows: int) -> int:
    """Returns how many of `fan` samples that differ in their targets share a point: a divisor."""
    return next(g for g in range(min(fan, rows), 0, -1) if fan % g == 0)


def most_samples(recipe: Recipe, rows: int, elements: int) -> int:
    """Returns how many samples a block may have, where a gradient call has so many `rows`.

    Blocks of more samples than a tile has rows would make accumulators the larger part of memory,
    so only small ones may exceed it.
    """
    most = max(rows, _SMALL_BLOCK)
    if recipe.sequential or recipe.one_round:
        return most
    return min(most, max(1, _KEPT_ELEMENTS // max(1, elements * recipe.kept)))


def first_rows(recipe: Recipe, samples: int) -> int:
    """Returns how many rows so many samples have, where they come in rounds in the first."""
    if recipe.sequential:
        return samples
    if recipe.one_round:
        return samples * len(recipe.table(1))
    return len(next(recipe.rounds(samples, Norm())))


def sheet_of(samples: int, recipe: Recipe, batch_size: int | None) -> Sheet:
    """Plans the tiles of blocks of so many `samples`, of `batch_size` rows at most."""
    first = first_rows(recipe, samples)
    tiles, rows = balanced(first, batch_size or first)
    known = recipe.one_round and not recipe.sequential
    return Sheet(samples, rows, rows * (tiles if known else _LOGGED_TILES))


def _block_size(n: int, points: int, most: int) -> int:
    """Chooses the samples per block: the fewest calls that pad at most a row each, on average."""
    sizes = np.arange(1, min(n, max(most, _SMALL_BLOCK)) + 1)
    blocks = -(-n // sizes)
    tiles = -(-sizes * points // most)
    calls = blocks * tiles
    computed = calls * -(-sizes * points // tiles)
    padded = computed - n * points
    # The least padding where nothing keeps to a row per call; then the fewest calls; then the
    # largest blocks, whose samples share the noise of a tile.
    excess = np.maximum(padded - calls, 0)
    best = np.lexsort((-sizes, computed, calls, excess))
    return int(sizes[best[0]])
