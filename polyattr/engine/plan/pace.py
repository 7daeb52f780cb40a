"""How long a call may take, and whether another round fits, by the speed of the last one."""

from __future__ import annotations

import time
from dataclasses import dataclass

from polyattr.engine.kernels import Kernels


@dataclass
class Pace:
    """The time of one block of samples.

    A larger round is taken to last longer as it has more rows, a smaller one as long as the last
    one: part of that goes on whatever there are, so a call ends early rather than late. What
    compiling took is left out, since it does not come again.

    Attributes:
        until: When the block has to be done, by `time.perf_counter`.
        kernels: Say how long compiling took.
    """

    until: float
    kernels: Kernels
    _rows: int = 0
    _began: float = 0.0
    _compiled: float = 0.0

    def begin(self, rows: int) -> None:
        """Notes that a round of so many `rows` begins."""
        self._rows, self._began = rows, time.perf_counter()
        self._compiled = self.kernels.seconds

    def allows(self, rows: int) -> bool:
        """Says whether there is time for a round of so many `rows` after the one that ends now."""
        now = time.perf_counter()
        took = max(0.0, now - self._began - (self.kernels.seconds - self._compiled))
        return now + took * max(1.0, rows / max(1, self._rows)) <= self.until


def share(until: float, samples: int, left: int) -> float:
    """Returns when a block of `samples` has to be done, of all that are `left` until a time."""
    now = time.perf_counter()
    return now + (until - now) * min(1.0, samples / max(1, left))
