"""Explaining data sets: batch by batch in other people's engines, or shard by shard into a store.

`worker` is one function for every engine that maps batches; `explain_dataset` plans shards, writes
each of them once, and goes on where it was stopped.
"""

from polyattr.datasets.batch_worker import Worker, worker
from polyattr.datasets.explain import explain_dataset
from polyattr.datasets.explained import Explained
from polyattr.datasets.summaries.summary import Summary

__all__ = ["Explained", "Summary", "Worker", "explain_dataset", "worker"]
