"""A progress bar that counts samples, shown by tqdm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from polyattr.errors import MissingExtraError
from polyattr.question.checks import check_flag

_EVERY = 0.1
"""Seconds between two notes, as tqdm leaves between two counts."""


class Bar:
    """Counts the samples of one batch after the other.

    Args:
        shown: A bar of tqdm.
        batches: How many there are; None for one that nobody knows the end of.
    """

    def __init__(self, shown: Any, batches: int | None) -> None:
        self._shown, self._batches = shown, batches
        self._read = self._before = self._size = self._largest = 0
        self._noted = 0.0

    def __call__(self, done: int, size: int, note: str = "") -> None:
        """Takes up how many samples of a batch of `size` are done; a second try counts none twice.

        Args:
            done: Samples done.
            size: Samples of the batch.
            note: What is being done to those that are not.
        """
        if not self._size:
            self._size, self._largest = size, max(size, self._largest)
            self._read += 1
            self._shown.total = self._in_all()
            self._shown.refresh()
        self._shown.update(max(0, self._before + done - self._shown.n))
        now = time.monotonic()
        if now - self._noted > _EVERY:
            self._noted = now
            self._shown.set_postfix_str(note)

    def _in_all(self) -> int | None:
        """The samples of all batches: those to come are taken to be as large as the largest."""
        if self._batches is None:
            return None
        return self._before + self._size + max(0, self._batches - self._read) * self._largest

    def step(self) -> None:
        """Ends a batch."""
        self._before, self._size = self._before + self._size, 0
        self._shown.update(max(0, self._before - self._shown.n))

    def end(self) -> None:
        """Ends the last batch: what was done is all there was."""
        self._shown.total = self._before
        self._shown.set_postfix_str("")


@contextmanager
def progress_bar(show: bool, label: str, batches: int | None = 1) -> Iterator[Bar | None]:
    """Yields what is told of samples, or None when nothing is shown.

    A call that fails leaves the bar where it was.

    Args:
        show: Whether a bar is shown.
        label: What it is called.
        batches: How many there will be; None where nobody knows.

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
    with tqdm(total=None, desc=label, unit="sample") as shown:
        bar = Bar(shown, batches)
        yield bar
        bar.end()
