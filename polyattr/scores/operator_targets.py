"""Targets for an operator of the user's, which may be anything with an entry per sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.errors import ModelOutputError
from polyattr.scores import reductions
from polyattr.scores.targets import Targets, read_numbers


def read_operator_targets(targets: Any, backend: GradBackend, like: Tensor, n: int) -> Targets:
    """Reads targets for an operator of the user's: anything with one entry per sample, or None.

    Args:
        targets: As the user passed them; one number holds for all samples.
        backend: Makes native tensors.
        like: A tensor on the device of the inputs; floating targets take its dtype, so that a loss
            does not widen what the model computes.
        n: Number of samples.

    Raises:
        InputError: No array.
        InputTypeError: Not numbers.
        ModelOutputError: Not one entry per sample.
    """
    if targets is None:
        return Targets(reductions.total, [])
    native = targets if backend.is_tensor(targets) else _native(targets, backend, like, n)
    if len(native.shape) == 0 or int(native.shape[0]) != n:
        raise ModelOutputError(
            f"targets have shape {tuple(native.shape)}; with an operator, expected one entry per "
            f"sample on the first axis, ({n}, ...)"
        )
    record = backend.to_numpy(native) if backend.readable(native) else None
    return Targets(reductions.total, [native], record=record)


def _native(targets: Any, backend: GradBackend, like: Tensor, n: int) -> Tensor:
    how = "with an operator, expected an array or tensor with one entry per sample, or None"
    array = read_numbers(targets, how)
    array = np.broadcast_to(array, (n,)) if array.ndim == 0 else array
    if array.dtype.kind != "f":
        return backend.to_native(array, like)
    with np.errstate(over="ignore"):  # what only a longer float holds is infinite
        return backend.to_native(array.astype(np.float64), like, backend.dtype(like))
