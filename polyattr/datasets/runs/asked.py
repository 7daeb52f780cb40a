"""What is asked of a run: arguments checked, the source opened, rows chosen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from polyattr.datasets.batch_worker import Worker
from polyattr.datasets.batches.reading import as_ids
from polyattr.datasets.model.marking import check_method, marking
from polyattr.datasets.model.settings import Settings, check_call, read_settings_of_rows
from polyattr.datasets.sources.opening import open_source
from polyattr.datasets.sources.source import Joined, Source
from polyattr.datasets.work import Work
from polyattr.errors import InputError, InputTypeError, brief
from polyattr.question.checks import check_flag

Array = np.ndarray[Any, Any]

_READ = 4096


@dataclass(frozen=True)
class Asked:
    """The arguments of `explain_dataset`, as they were given."""

    ids: Any
    executor: Any
    summary: Any
    where: Any
    targets: Any
    inputs: Any
    format: Any
    dtype: Any
    maps: Any
    prepare: Any
    rows_per_call: Any
    rows_per_shard: Any
    part: Any
    verify: Any
    progress: Any
    call: dict[str, Any]

    def check(self) -> None:
        """Checks what stands for itself.

        Raises:
            InputError: A value of no meaning.
            InputTypeError: A value of the wrong type.
        """
        for name in ("summary", "maps", "verify", "progress"):
            check_flag(name, getattr(self, name))
        if self.dtype not in (None, "float16", "float32"):
            raise InputError(f"dtype is {brief(self.dtype)}; expected 'float16', 'float32' or None")
        if not self.summary and not self.maps:
            raise InputError(
                "maps=False and summary=False keep nothing of the maps; expected one of them"
            )


def folder_of(out: Any) -> tuple[Path, Path]:
    """Returns the folder of the data, and the one beside it.

    Raises:
        InputTypeError: Neither a text nor a path.
    """
    if not isinstance(out, str | PathLike):
        raise InputTypeError(f"out is {brief(out)}; expected the path of a folder")
    folder = Path(fspath(out)).expanduser().absolute()
    return folder, folder.with_name(f"{folder.name}.run")


def worker_of(method: Any, asked: Asked) -> Work:
    """Makes the worker of a run; a worker that is given says itself what is asked of it.

    Raises:
        PolyattrError: An argument has no place, or is out of range.
    """
    names = ("targets", "inputs", "prepare", "ids")
    texts = {n: getattr(asked, n) for n in names if _is_of_columns(n, getattr(asked, n))}
    given = {**asked.call, **texts}
    if isinstance(method, Worker):
        if given:
            raise InputError(
                f"{min(given)} is given, and the method is a Worker; expected it among the "
                f"arguments of polyattr.worker"
            )
        return method.work
    columns, prepare, call = read_settings_of_rows(given)
    made = marking(check_method(method, "method"))
    check_call(made, call)
    return Work(Settings(None, None, {}, call, columns, prepare), made)


def _is_of_columns(name: str, value: Any) -> bool:
    """Says whether an argument belongs to the worker, and not to the rows of this source."""
    if value is None:
        return False
    if name == "targets":
        return isinstance(value, str | int | np.integer | tuple) or callable(value)
    return name != "ids" or isinstance(value, str)


def rows_of(given: Any, worker: Work, asked: Asked) -> Source | Iterable[Any]:
    """Opens the source, with the targets and ids that were given, and of the rows those chosen.

    Raises:
        PolyattrError: There is no such source, or what belongs to its rows does not fit.
    """
    source = open_source(given, worker.columns)
    targets = None if _is_of_columns("targets", asked.targets) else asked.targets
    ids = None if isinstance(asked.ids, str) else asked.ids
    if not isinstance(source, Source):
        rest = ("where", asked.where), ("part", asked.part)
        for name, value in (("targets", targets), ("ids", ids), *rest):
            if value is not None:
                raise InputError(
                    f"{name} is given, and the source is an iterable of batches, whose rows have "
                    f"no numbers; expected it in the batches, as (inputs, targets), or as columns"
                )
        return source
    joined = Joined(source, _per_row("targets", targets, source), _ids(ids, source))
    return replace(joined, chosen=_chosen(asked.where, joined))


def _per_row(name: str, value: Any, source: Source) -> Array | None:
    if value is None:
        return None
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.ndim < 1 or len(array) != len(source):
        raise InputError(
            f"{name} has shape {array.shape}, and the source {len(source):,} rows; expected one "
            f"entry per row"
        )
    return array


def _ids(ids: Any, source: Source) -> Array | None:
    found = _per_row("ids", ids, source)
    if found is None:
        return None
    found = as_ids(found)
    if len(np.unique(found)) < len(found):
        raise InputError("ids has the same id for several rows; expected each once")
    return found


def _chosen(where: Any, source: Joined) -> Array | None:
    """The numbers of the rows that count, ascending."""
    if where is None:
        return None
    n = len(source)
    if callable(where):
        parts = (source.read(i, min(i + _READ, n)) for i in range(0, n, _READ))
        where = np.concatenate([_mask(where(part), len(part)) for part in parts])
    rows = np.asarray(where.detach().cpu() if hasattr(where, "detach") else where)
    if rows.dtype.kind == "b" and rows.shape == (n,):
        rows = np.flatnonzero(rows)
    elif rows.dtype.kind not in "iu" or rows.ndim != 1:
        raise InputTypeError(
            f"where is an array of {rows.dtype} and shape {rows.shape}; expected {n:,} truth "
            f"values, numbers of rows, or a function on a batch"
        )
    if not len(rows):
        raise InputError("where chooses no row; expected at least one")
    if rows.min() < 0 or rows.max() >= n:
        raise InputError(f"where has {rows.min()} to {rows.max()}; expected rows 0 to {n - 1:,}")
    return np.unique(rows)


def _mask(answer: Any, n: int) -> Array:
    mask = np.asarray(answer)
    if mask.dtype.kind != "b" or mask.shape != (n,):
        raise InputTypeError(
            f"where(batch) returned {mask.dtype} of shape {mask.shape}; expected {n} truth values"
        )
    return mask
