"""A cluster of dask.distributed: it has a scheduler, which sees to workers that are lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from polyattr.datasets.optional import library
from polyattr.datasets.runs.job import Job, Task


def on_client(client: Any) -> Callable[[Job, Iterator[Task]], Iterator[dict[str, Any]]]:
    """Returns what runs shards on the workers of a `client`.

    Raises:
        MissingExtraError: dask.distributed is not installed.
    """
    as_completed = library("distributed", "a client of dask", "dask").as_completed

    def run(job: Job, tasks: Iterator[Task]) -> Iterator[dict[str, Any]]:
        def send(task: Task) -> Any:
            # Not pure: what counts is the file it leaves, which may have been lost.
            return client.submit(_make, job, task, pure=False, key=f"shard-{job.key}-{task.number}")

        most = 2 * max(1, sum(client.nthreads().values()))
        going = as_completed([send(task) for task in islice(tasks, most)])
        for future in going:
            yield future.result()
            for task in islice(tasks, 1):
                going.add(send(task))

    return run


def _make(job: Job, task: Task) -> dict[str, Any]:
    return job.make(task)
