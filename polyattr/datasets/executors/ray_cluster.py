"""A cluster of Ray, whose tasks are tried again where a node is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from polyattr.datasets.optional import library
from polyattr.datasets.runs.job import Job, Task

_TRIES = 5


def on_ray() -> Callable[[Job, Iterator[Task]], Iterator[dict[str, Any]]]:
    """Returns what runs shards as tasks of the Ray cluster this process is, or gets, connected to.

    Raises:
        MissingExtraError: Ray is not installed.
    """
    ray = library("ray", "executor='ray'", "ray")

    def run(job: Job, tasks: Iterator[Task]) -> Iterator[dict[str, Any]]:
        if not ray.is_initialized():
            ray.init()
        make, shared = ray.remote(max_retries=_TRIES)(_make), ray.put(job)
        most = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        going = [make.remote(shared, task) for task in islice(tasks, most)]
        while going:
            done, going = ray.wait(going)
            for reference in done:
                yield ray.get(reference)
            going += [make.remote(shared, task) for task in islice(tasks, len(done))]

    return run


def _make(job: Job, task: Task) -> dict[str, Any]:
    return job.make(task)
