"""How far a block of samples is, told to whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from polyattr.engine.plan.cut import Cut
from polyattr.sampling.rows import Repeated, Rows

Array = np.ndarray[Any, Any]


class Course:
    """Tells what share of a block is done.

    Where one table has all rows, it is that of its rows. Where rounds are chosen as they go, nobody
    knows how many there will be: it is that of the samples no further round has rows of.

    Args:
        tick: Told the share, and a note.
        live: How many samples there are.
        one_round: Whether one table has all rows.
    """

    def __init__(self, tick: Callable[[float, str], None], live: int, one_round: bool) -> None:
        self._tick, self._live, self._one_round = tick, live, one_round
        self._every = self._before = self._rounds = 0
        self._done = 0.0

    def begin(self, rows: Rows[Array] | Repeated) -> None:
        """Takes up the rows of a round."""
        self._every, self._before = len(rows), 0
        self._rounds += 1
        if isinstance(rows, Rows) and not self._one_round:
            self._done = 1 - len(np.unique(rows.sample)) / self._live
            self._tick(self._done, f"round {self._rounds}")

    def ran(self, tile: int, made: Cut) -> None:
        """Takes up that one more tile of a table ran."""
        rows = len(made.rows) * (tile + 1) // made.tiles
        share = (self._before + rows) / self._every
        if self._one_round:
            self._tick(share, "")
        else:
            self._tick(self._done, f"round {self._rounds}: {share:.0%}")
        if tile + 1 == made.tiles:
            self._before += len(made.rows)
