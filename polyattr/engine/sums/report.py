"""What a block tells the host, in one tensor: the device is waited for once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.sums.spread import Errors, sizes

Array = np.ndarray[Any, Any]


class Measured(NamedTuple):
    """Sizes of the maps of a block, or of all samples.

    Attributes:
        size: (N,) summed magnitude of the attributions.
        standard: (N,) that of the standard errors; None where they are not known.
        bound: (N,) the bound of the errors; None likewise.
        inputs: (N,) summed magnitude of the inputs, not finite where they are not.
    """

    size: Array
    standard: Array | None = None
    bound: Array | None = None
    inputs: Array | None = None

    @property
    def finite(self) -> bool:
        """Whether all inputs are known to be."""
        return self.inputs is not None and bool(np.isfinite(self.inputs).all())

    def times(self, factor: Array) -> Measured:
        """Returns all sizes of maps times a `factor` (N,)."""
        standard, bound = (part if part is None else part * factor for part in self[1:3])
        return Measured(self.size * factor, standard, bound, self.inputs)


def joined_sizes(parts: Sequence[Measured]) -> Measured:
    """Joins the sizes of blocks, one after the other."""
    if len(parts) == 1:
        return parts[0]
    sizes, *others = zip(*parts, strict=True)
    joined = (None if each[0] is None else np.concatenate(each) for each in others)
    return Measured(np.concatenate(sizes), *joined)


def pack(
    backend: GradBackend,
    log: Tensor,
    values: Sequence[Tensor],
    errors: Errors | None,
    leaves: Sequence[Tensor],
) -> Tensor:
    """Joins what a block tells: (2 C + k M,), in the dtype of the log.

    Args:
        backend: Supplies the verbs.
        log: (2 C,) scores and slopes of all rows.
        values: Attributions (M, ...) per input.
        errors: How far they may be off; None where that is not wanted, or not known.
        leaves: The samples (M, ...) per input.
    """
    parts = [sizes(backend, values)]
    if errors is not None:
        parts.append(sizes(backend, errors.standard))
        parts += [] if errors.bound is None else [errors.bound]
    wide = [backend.cast(leaf, backend.accumulator_dtype(leaf)) for leaf in leaves]
    parts.append(sizes(backend, wide))
    kind = backend.dtype(log)
    return backend.concat([log, *(backend.cast(part, kind) for part in parts)])


@dataclass
class Report:
    """A packed tensor, read when it is looked at, and once.

    Attributes:
        backend: Reads.
        packed: As `pack` made it; None once it was read.
        capacity: Rows that the log has room for, C.
        samples: Samples of the block, M.
        errors: Whether sizes of errors were packed.
        bounded: Whether their bound was.
    """

    backend: GradBackend
    packed: Tensor | None
    capacity: int
    samples: int
    errors: bool
    bounded: bool
    _host: Array | None = None

    def log(self) -> Array:
        """Scores and slopes (2, C)."""
        both: Array = self._read()[: 2 * self.capacity].reshape(2, -1)
        return both

    def measured(self, live: int) -> Measured:
        """Sizes of the maps of the first `live` samples, (L,) each."""
        rows = self._read()[2 * self.capacity :].astype(np.float64)
        rows = rows.reshape(-1, self.samples)[:, :live]
        standard, bound = (rows[1] if self.errors else None), (rows[2] if self.bounded else None)
        return Measured(rows[0], standard, bound, rows[-1])

    def _read(self) -> Array:
        if self._host is None:
            read_all([self])
        return np.asarray(self._host)

    def take(self, host: Array) -> None:
        """Keeps what was read, and lets go of the device's tensor."""
        self._host, self.packed = host, None


def read_all(reports: Sequence[Report]) -> None:
    """Reads what is still on the device, all at once."""
    pairs = ((report, report.packed) for report in reports)
    unread = [(report, packed) for report, packed in pairs if packed is not None]
    if not unread:
        return
    backend, tensors = unread[0][0].backend, [packed for _, packed in unread]
    if len(tensors) == 1:
        unread[0][0].take(backend.to_numpy(tensors[0]))
        return
    host = backend.to_numpy(backend.concat(tensors))
    ends = np.cumsum([int(tensor.shape[0]) for tensor in tensors])
    for (report, _), part in zip(unread, np.split(host, ends[:-1]), strict=True):
        report.take(part)
