"""What the samples of a call are called, for draws that belong to one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.errors import InputError, InputTypeError

Array = np.ndarray[Any, Any]


class RowIds:
    """Counts the samples of a call, over all batches of a dataset, and finds their ids.

    Args:
        given: (N,) whole numbers of at least 0, as the user passed them; None for places.
        batches: Whether samples come in several batches.

    Raises:
        InputTypeError: No array (N,) of whole numbers.
        InputError: One is negative.
    """

    def __init__(self, given: Any, batches: bool = False) -> None:
        self._batches = batches
        self._ids = None if given is None else _read(given)
        self._first = self._last = 0

    def of(self, n: int) -> Array:
        """Returns the ids (N,) of the next `n` samples; the same until `step`.

        Raises:
            InputError: There are fewer, or more where no batches follow.
        """
        self._last = self._first + n
        if self._ids is None:
            return np.arange(self._first, self._last)
        if len(self._ids) < self._last or not self._batches:
            self.done()
        return self._ids[self._first : self._last]

    def step(self) -> None:
        """Goes on to the next batch."""
        self._first = self._last

    def done(self) -> None:
        """Checks that there were as many samples as ids.

        Raises:
            InputError: There were not.
        """
        if self._ids is not None and len(self._ids) != self._last:
            raise InputError(
                f"sample_ids has {len(self._ids)} ids for {self._last} samples; expected one id "
                f"for each of them"
            )


def _read(given: Any) -> Array:
    ids = np.asarray(given)
    if ids.dtype.kind not in "iu" or ids.ndim != 1:
        raise InputTypeError(
            f"sample_ids has shape {ids.shape} and {ids.dtype}; expected whole numbers (N,), one "
            f"for each sample"
        )
    if ids.size and ids.min() < 0:
        raise InputError(f"sample_ids has {ids.min()}; expected whole numbers of at least 0")
    return ids.astype(np.int64)
