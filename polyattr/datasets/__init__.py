"""Explaining data sets: batch by batch in other people's engines, or shard by shard into a store.

`worker` is one function for every engine that maps batches; `explain_dataset` plans shards, writes
each of them once, and goes on where it was stopped.
"""

from polyattr.datasets.worker import Worker, worker

__all__ = ["Worker", "worker"]
