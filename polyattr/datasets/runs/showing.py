"""A bar over the rows of a data set: how many a second, and how long it will take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from polyattr.datasets.optional import library
from polyattr.datasets.runs.totals import Totals

Tick = Callable[..., None]


@contextmanager
def bar(show: bool, rows: int | None) -> Iterator[Tick]:
    """Yields what is told of each finished shard.

    Args:
        show: Whether a bar is shown.
        rows: How many rows there are; None where nobody knows.

    Raises:
        MissingExtraError: tqdm is not installed.
    """
    if not show:
        yield _nothing
        return
    tqdm = library("tqdm.auto", "progress=True", "plots").tqdm
    with tqdm(total=rows, desc="explained", unit="row", unit_scale=True) as shown:

        def tick(record: dict[str, Any], totals: Totals, before: bool = False) -> None:
            size = record["rows"][1] - record["rows"][0]
            if before:  # done by an earlier call: no part of the speed
                shown.initial += size
            shown.update(size)
            shown.set_postfix_str(totals.in_short())

        yield tick


def _nothing(record: dict[str, Any], totals: Totals, before: bool = False) -> None:
    """Shows nothing."""
