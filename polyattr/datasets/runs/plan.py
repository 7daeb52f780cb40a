"""How many rows are explained together, and how many make a shard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from polyattr.errors import InputError
from polyattr.question.checks import check_count

_CALL_BYTES = 1 << 22
_FEWEST, _MOST = 8, 4096
_SHARD_BYTES = 1 << 26
_SHARDS = 150
"""About how many there are of a set that is not larger than these make it."""
_MOST_IN_SHARD = 1 << 16


@dataclass(frozen=True)
class Plan:
    """Shards of whole calls: where they begin is settled by the rows alone.

    Attributes:
        rows: How many there are; None for a stream.
        call: Rows that are explained together.
        shard: Rows of a shard, a multiple of them.
    """

    rows: int | None
    call: int
    shard: int

    def numbers(self, part: tuple[int, int] | None) -> range:
        """The shards there are, or those of one machine among several."""
        count = -(-(self.rows or 0) // self.shard)
        return range(count) if part is None else range(part[0], count, part[1])

    def bounds(self, number: int) -> tuple[int, int]:
        """First row of a shard, and the row after its last."""
        start = number * self.shard
        end = start + self.shard
        return start, end if self.rows is None else min(end, self.rows)

    def of(self, part: tuple[int, int] | None) -> Iterator[tuple[int, int, int]]:
        """Number, start and stop of each shard."""
        return ((number, *self.bounds(number)) for number in self.numbers(part))


def make_plan(rows: int | None, row_bytes: int, per_call: Any, per_shard: Any) -> Plan:
    """Plans shards.

    Args:
        rows: How many there are, or None.
        row_bytes: Of the inputs of one.
        per_call: Rows that are explained together, or None for as many as make 4 MiB.
        per_shard: Rows of a shard, rounded up to whole calls; None for about 150 shards, of no more
            than 64 MiB.

    Raises:
        InputError: Below 1.
        InputTypeError: No whole numbers.
    """
    if per_call is None:
        call = _FEWEST
        while call < _MOST and 2 * call * row_bytes <= _CALL_BYTES:
            call *= 2
    else:
        call = check_count("rows_per_call", per_call, 1)
    if per_shard is None:
        wanted = min(_SHARD_BYTES // max(row_bytes, 1), _MOST_IN_SHARD)
        wanted = min(wanted, -(-rows // _SHARDS)) if rows is not None else wanted
    else:
        wanted = check_count("rows_per_shard", per_shard, 1)
    return Plan(rows, call, max(1, -(-wanted // call)) * call)


def check_part(part: Any) -> tuple[int, int] | None:
    """Checks for (number, of how many).

    Raises:
        InputError: Something else.
    """
    if part is None:
        return None
    good = isinstance(part, tuple | list) and len(part) == 2
    if not good or not all(type(p) is int for p in part) or not 0 <= part[0] < part[1]:
        raise InputError(
            f"part is {part!r}; expected (number, of how many), such as (0, 100) on the first of "
            f"100 machines"
        )
    return part[0], part[1]
