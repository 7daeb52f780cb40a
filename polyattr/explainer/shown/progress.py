"""A progress bar over tiles, shown by tqdm."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from polyattr.errors import MissingExtraError
from polyattr.question.checks import check_flag


@contextmanager
def progress_bar(show: bool, label: str) -> Iterator[Callable[[int, int], None] | None]:
    """Yields a function told (tiles done, tiles in all) per batch, or None when not shown.

    Raises:
        MissingExtraError: tqdm is not installed.
    """
    if not check_flag("progress", show):
        yield None
        return
    try:
        from tqdm.auto import tqdm
    except ImportError:
        raise MissingExtraError("progress=True", "plots") from None
    with tqdm(total=0, desc=label, unit="tile") as bar:

        def tick(done: int, total: int) -> None:
            if done == 1:
                bar.total += total
            bar.update(1)

        yield tick
