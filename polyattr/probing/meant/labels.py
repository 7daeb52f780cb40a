"""What a dataset brings beside its inputs: labels, which are not always targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.errors import InputError
from polyattr.question.checks import check_unmasked
from polyattr.scores.targets import TargetReader


def read_labels(reader: TargetReader, labels: Any) -> tuple[Any, bool]:
    """Says what of a dataset's labels names the output to explain.

    Args:
        reader: Knows the output.
        labels: The second part of a batch.

    Returns:
        The targets, and whether the labels are not among them since nothing has to be named.

    Raises:
        InputError: Numbers in the shape of several outputs, which are neither classes nor weights.
    """
    if labels is None or callable(labels) or isinstance(labels, tuple):
        return labels, False
    native = reader.backend.is_tensor(labels)
    if native and not reader.backend.readable(labels):
        return labels, False
    check_unmasked("targets", labels)
    array = reader.backend.to_numpy(labels) if native else np.asarray(labels)
    if array.dtype.kind not in "biuf":
        return labels, False
    if reader.is_score and array.shape in {(reader.n,), (reader.n, 1)}:
        return None, True
    if array.shape != reader.whole or array.dtype.kind != "f" or _chooses(array):
        return labels, False
    raise InputError(
        f"the second part of the batches holds floats of shape {array.shape}, like the output: as "
        f"the labels of a regression they would multiply the map. Say with targets which output to "
        f"explain, an index or a callable; as weights pass them batch by batch, "
        f"explain(inputs, weights)"
    )


def _chooses(array: np.ndarray[Any, Any]) -> bool:
    """Says whether each sample's numbers mark or share out classes."""
    flat = array.reshape(len(array), -1).astype(np.float64)
    marks = bool(np.isin(flat, (0.0, 1.0)).all())
    return marks or bool((flat >= 0).all() and (np.abs(flat.sum(axis=1) - 1) < 1e-3).all())
