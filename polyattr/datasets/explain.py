"""Explaining a data set into a store, shard by shard."""

from __future__ import annotations

from typing import Any

from polyattr.datasets.explained import Explained
from polyattr.datasets.runs.arguments import OF_EXPLAIN_DATASET
from polyattr.datasets.runs.asked import Asked
from polyattr.datasets.runs.running import run
from polyattr.explainer.shown.described import described_by


@described_by(OF_EXPLAIN_DATASET)
def explain_dataset(
    method: Any, source: Any, out: Any, ids: Any = None, executor: Any = None,
    summary: bool = True, where: Any = None, *, targets: Any = None, inputs: Any = None,
    format: Any = None, dtype: Any = None, maps: bool = True, prepare: Any = None,  # noqa: A002 - as in file formats
    rows_per_call: Any = None, rows_per_shard: Any = None, part: Any = None, verify: bool = True,
    progress: bool = False, **call: Any,
) -> Explained:  # fmt: skip
    """Explains all rows of a data set into a store, and goes on where an earlier call was stopped.

    Each shard is written beside its place and moved there whole, so that a call may be killed at
    any moment and made again: what is finished is neither lost nor computed twice. The answers
    depend on the question only, not on shards, executors or restarts. Ctrl-C finishes the shards
    in hand.

    Returns:
        An `Explained`, whose text is the report of errors and gaps.

    Raises:
        InputError: Another question was answered into that folder, whose differences are listed;
            the source was changed; or it cannot be written to.
        InputTypeError: An argument of the wrong type, or one that the method has not.
        MissingExtraError: What the source, the store or the executor needs is not installed.
        OSError: The disk is full.

    Example:
        >>> import numpy as np, polyattr, torch, zarr
        >>> method = polyattr.IntegratedGradients(torch.nn.Flatten(), steps=4)
        >>> data = np.ones((6, 3), np.float32)
        >>> done = polyattr.explain_dataset(method, data, "maps.zarr", targets=0)
        >>> done.rows, zarr.open_group("maps.zarr", mode="r")["attribution"][5].tolist()
        (6, [1.0, 0.0, 0.0])
    """
    asked = Asked(
        ids, executor, summary, where, targets, inputs, format, dtype, maps, prepare,
        rows_per_call, rows_per_shard, part, verify, progress, call,
    )  # fmt: skip
    return run(method, source, out, asked)
