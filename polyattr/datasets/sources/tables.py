"""Parquet: one file or a folder of them, read row group by row group."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from polyattr.datasets.batches.reading import Batch, Columns, read_batch
from polyattr.datasets.optional import library
from polyattr.datasets.sources.files import stamp_of
from polyattr.datasets.sources.source import Source, cut, joined
from polyattr.errors import InputError


@dataclass(frozen=True)
class Parquet(Source):
    """Columns in one or several files, in the order of their names."""

    path: Path
    columns: Columns
    kind = "parquet"

    def _groups(self) -> tuple[list[tuple[Any, int]], list[int]]:
        """Row groups as (file, number), and how many rows there are up to the end of each."""
        if "_opened" not in self.__dict__:
            parquet = library("pyarrow.parquet", f"reading {self.path.name}", "parquet")
            paths = [self.path] if self.path.is_file() else sorted(self.path.glob("**/*.parquet"))
            if not paths:
                raise InputError(f"{self.path} has no files that end with .parquet")
            files = [parquet.ParquetFile(p) for p in paths]
            groups = [(f, g) for f in files for g in range(f.num_row_groups)]
            ends = list(accumulate(f.metadata.row_group(g).num_rows for f, g in groups))
            object.__setattr__(self, "_opened", (groups, ends))
        opened: tuple[list[tuple[Any, int]], list[int]] = self.__dict__["_opened"]
        return opened

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open, or was read last."""
        return {n: v for n, v in self.__dict__.items() if n not in ("_opened", "_last")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def __len__(self) -> int:
        _, ends = self._groups()
        return ends[-1] if ends else 0

    def read(self, start: int, stop: int) -> Batch:
        """Reads rows; the row group that was read last is kept."""
        _, ends = self._groups()
        parts, at = [], start
        while at < stop:
            number = bisect_right(ends, at)
            before = ends[number - 1] if number else 0
            end = min(stop, ends[number])
            parts.append(cut(self._group(number), slice(at - before, end - before)))
            at = end
        return joined(parts)

    def _group(self, number: int) -> Batch:
        last = self.__dict__.get("_last")
        if last is None or last[0] != number:
            file, group = self._groups()[0][number]
            table = file.read_row_group(group)
            held = {name: _array(table.column(name)) for name in table.column_names}
            object.__setattr__(self, "_last", (number, read_batch(held, self.columns)))
        batch: Batch = self.__dict__["_last"][1]
        return batch

    def stamp(self) -> dict[str, Any]:
        """Path, size and time of the files."""
        return stamp_of(self.path)

    @property
    def features(self) -> list[str] | None:
        """The columns that are stacked as inputs."""
        if isinstance(self.columns.inputs, str):
            return None
        if self.columns.inputs is not None:
            return list(self.columns.inputs)
        groups, _ = self._groups()
        names = groups[0][0].schema_arrow.names if groups else []
        left = [n for n in names if n not in (self.columns.ids, self.columns.targets)]
        return left if len(left) > 1 else None


def _array(column: Any) -> Any:
    """A column as an array; lists of one length as (n, length)."""
    column = column.combine_chunks()
    kind = str(column.type)
    if kind.startswith("fixed_size_list"):
        return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), -1)
    return column.to_numpy(zero_copy_only=False)
