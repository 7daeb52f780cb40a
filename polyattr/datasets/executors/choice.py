"""Which executor something is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from polyattr.datasets.runs.job import Job, Task
from polyattr.errors import InputError, InputTypeError, brief

Run = Callable[[Job, Iterator[Task]], Iterator[dict[str, Any]]]
"""Makes the shards it takes from an iterator, and yields their records in any order."""


def choose(executor: Any) -> Run:
    """Returns what runs the shards.

    Raises:
        InputError: A number below 1, or a name of no engine.
        InputTypeError: Something else.
    """
    if executor is None:
        return here
    if isinstance(executor, int) and not isinstance(executor, bool):
        if executor < 1:
            raise InputError(f"executor is {executor}; expected at least 1 process")
        from polyattr.datasets.executors.pool import in_pool

        return in_pool(executor)
    root = type(executor).__module__.partition(".")[0]
    if root == "distributed":
        from polyattr.datasets.executors.dask_client import on_client

        return on_client(executor)
    if executor == "ray" or getattr(executor, "__name__", "") == "ray":
        from polyattr.datasets.executors.ray_cluster import on_ray

        return on_ray()
    raise InputTypeError(
        f"executor is {brief(executor)}; expected None (this process), a number of processes, a "
        f"client of dask.distributed, or 'ray'"
    )


def here(job: Job, tasks: Iterator[Task]) -> Iterator[dict[str, Any]]:
    """One shard after the other in this process: one is written while the next is explained."""
    with ThreadPoolExecutor(1) as writer:
        writing: Future[dict[str, Any]] | None = None
        for task in tasks:
            shard = job.explained(task)
            if writing is not None:
                yield writing.result()
            writing = writer.submit(job.write, shard)
        if writing is not None:
            yield writing.result()
