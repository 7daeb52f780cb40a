"""Processes on this machine; one that is killed is replaced, and its shard made again."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextvars import ContextVar
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as wait_for
from typing import Any

from polyattr.datasets.runs.job import Job, Task

_TRIES = 5
_JOB: ContextVar[Job] = ContextVar("job")
"""What a process of a pool works on: sent once, not with every shard."""


def in_pool(processes: int) -> Callable[[Job, Iterator[Task]], Iterator[dict[str, Any]]]:
    """Returns what runs shards in so many processes."""

    def run(job: Job, tasks: Iterator[Task]) -> Iterator[dict[str, Any]]:
        return _Pool(processes, job).run(tasks)

    return run


class _Pool:
    def __init__(self, processes: int, job: Job) -> None:
        self._processes, self._job = processes, job
        self._tries: dict[int, int] = {}

    def run(self, tasks: Iterator[Task]) -> Iterator[dict[str, Any]]:
        again: list[Task] = []
        while True:
            pool = self._pool()
            going: dict[Future[Any], Task] = {}
            broken = False
            try:
                while True:
                    # One waits for each that is worked on: more would only fill memory.
                    room = 0 if broken else 2 * self._processes - len(going)
                    chosen, again = again[:room], again[room:]
                    for task in (*chosen, *islice(tasks, room - len(chosen))):
                        going[_submit(pool, task)] = task
                    if not going:
                        break
                    done, _ = wait(going, return_when=FIRST_COMPLETED)
                    for future in done:
                        task = going.pop(future)
                        if isinstance(future.exception(), BrokenProcessPool):
                            broken = True
                            again.append(self._once_more(task))
                        else:
                            yield future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
            if not broken:
                return

    def _pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._processes, get_context("spawn"), initializer=_begin, initargs=(self._job,)
        )

    def _once_more(self, task: Task) -> Task:
        tries = self._tries[task.number] = self._tries.get(task.number, 0) + 1
        if tries >= _TRIES:
            raise RuntimeError(
                f"the process that made shard {task.number} ended {tries} times without a word, as "
                f"when memory runs out: use fewer processes, or fewer rows_per_call. If none ever "
                f"began, the script may lack `if __name__ == '__main__':`. What is finished stays, "
                f"and the same call goes on from there"
            )
        return task


def _submit(pool: ProcessPoolExecutor, task: Task) -> Future[Any]:
    try:
        return pool.submit(_make, task)
    except BrokenProcessPool as error:  # told of before anything was waited for
        failed: Future[Any] = Future()
        failed.set_exception(error)
        return failed


def _begin(job: Job) -> None:
    """Runs first in each process: what is stopped is stopped by the one who asked for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    _JOB.set(job)


def _end_with_the_parent() -> None:
    """Ends this process when the one that started it is killed: nobody would wait for it."""
    parent = parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _make(task: Task) -> dict[str, Any]:
    return _JOB.get().make(task)
