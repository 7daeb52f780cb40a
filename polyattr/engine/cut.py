"""Cutting samples x points into tiles of equal shape, planned on the host before the first one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.sampling.points import Points
from polyattr.sampling.statistics import Accumulator

# Rows per gradient call under "auto": measured best were 256 and more for an MLP, 64 for a small
# CNN on 28 x 28 pixels, 1-4 for a ResNet on 224 x 224, 4-32 for a transformer.
_ELEMENTS_PER_TILE = 50_000
_FEWEST_ROWS, _MOST_ROWS = 4, 256
_ACCELERATOR_FACTOR = 16
_SMALL_BLOCK = 8


def auto_batch_size(elements_per_row: int, accelerated: bool) -> int:
    """Chooses the rows per gradient call from the size of one row.

    Args:
        elements_per_row: Numbers in one sample, over all inputs.
        accelerated: Whether the inputs live on an accelerator, which wants larger tiles.
    """
    rows = min(_MOST_ROWS, max(_FEWEST_ROWS, _ELEMENTS_PER_TILE // max(1, elements_per_row)))
    return rows * _ACCELERATOR_FACTOR if accelerated else rows


@dataclass(frozen=True)
class TilePlan:
    """How one call's rows are cut.

    Samples are taken in blocks of `samples`; the rows of a block, samples running fastest, are cut
    into tiles. All blocks have the same plan: the last one repeats its last sample.

    Attributes:
        samples: Samples per block, M.
        blocks: Number of blocks.
        columns: Row quantities of each tile, (T, ...) each; "row", "sample", "segment",
            "weight" and "valid" always, others as points and accumulator ask.
        draws: (T, K) noise draws each tile needs.
        point: (T, R) number of the point of each row.
    """

    samples: int
    blocks: int
    columns: dict[str, np.ndarray[Any, Any]]
    draws: np.ndarray[Any, Any]
    point: np.ndarray[Any, Any]

    @property
    def tiles(self) -> int:
        """Number of tiles per block."""
        return len(self.point)


def balanced(total: int, most: int) -> tuple[int, int]:
    """Splits `total` into the fewest parts of at most `most`: (number of parts, size of each)."""
    parts = -(-total // most)
    return parts, -(-total // parts)


def _block_size(n: int, points: int, most: int) -> int:
    """Chooses the samples per block: the fewest calls that pad at most a row each, on average.

    Blocks of more samples than a tile has rows would make accumulators the larger part of memory,
    so only small ones may exceed it.
    """
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


def plan_tiles(
    n: int, points: Points, accumulator: Accumulator, batch_size: int | None
) -> TilePlan:
    """Plans the tiles of `n` samples.

    Args:
        n: Number of samples.
        points: The points of each sample.
        accumulator: May ask for further columns.
        batch_size: Most rows per gradient call; None for all in one call.
    """
    most = min(batch_size or n * points.count, n * points.count)
    samples = _block_size(n, points.count, most)
    blocks = -(-n // samples)
    tiles, rows = balanced(samples * points.count, most)
    flat = np.arange(tiles * rows).reshape(tiles, rows)
    # Rows past the end repeat the last one with weight 0: same shape, nothing recompiled.
    valid = flat < samples * points.count
    flat = np.minimum(flat, samples * points.count - 1)
    point, sample = np.divmod(flat, samples)
    segment = points.group[point] * samples + sample
    columns = {
        "row": np.arange(tiles * rows).reshape(tiles, rows),
        "sample": sample,
        "segment": segment,
        "valid": valid.astype(np.float64),
        "weight": points.weights[point] * valid,
        **{name: values[point] for name, values in points.columns.items()},
    }
    columns |= accumulator.plan(segment, columns, samples * points.groups)
    draw = points.draw[point]
    span = int((draw[:, -1] - draw[:, 0]).max()) + 1
    columns["slot"] = draw - draw[:, :1]
    draws = np.minimum(draw[:, :1] + np.arange(span), points.draw[-1])
    return TilePlan(samples, blocks, columns, draws, point)
