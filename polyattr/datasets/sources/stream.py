"""An iterable of batches, cut anew into shards as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from polyattr.datasets.batches.reading import Batch, Columns, read_batch
from polyattr.datasets.sources.source import cut, joined


def shards_of(batches: Iterable[Any], columns: Columns, rows: int) -> Iterator[Batch]:
    """Yields shards of `rows` rows, the last of what is left, holding one and a batch at a time.

    Rows without ids get their place in the stream.

    Raises:
        PolyattrError: A batch cannot be read.
    """
    waiting: list[Batch] = []
    seen = held = 0
    for given in batches:
        batch = read_batch(given, columns)
        if batch.ids is None:
            ids = np.arange(seen, seen + len(batch), dtype=np.int64)
            batch = Batch(batch.inputs, batch.targets, ids)
        seen, held = seen + len(batch), held + len(batch)
        waiting.append(batch)
        while held >= rows:
            whole = joined(waiting)
            yield cut(whole, slice(0, rows))
            waiting, held = [cut(whole, slice(rows, None))], held - rows
    if held:
        yield joined(waiting)
