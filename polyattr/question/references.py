"""Baselines in the form a tile takes: rows to start paths from, and which row is whose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from polyattr.backend import GradBackend, Tensor

Array = np.ndarray[Any, Any]

Origin = Literal["none", "one", "sample", "named"]
"""How a row finds where its path starts: there is no path; all start from one tensor (1, ...); the
reference of its sample; or one that the row's own column names."""


@dataclass(frozen=True)
class References:
    """Where the paths of all samples start.

    Attributes:
        leaves: (S, ...) per input; S is `count` where all samples share them, else N * `count`.
        count: How many baselines a sample has, K.
        shared: Whether all samples have the same.
    """

    leaves: list[Tensor]
    count: int = 1
    shared: bool = True

    @property
    def origin(self) -> Origin:
        """How a row finds its reference."""
        if self.count > 1:
            return "named"
        return "one" if self.shared else "sample"

    def rows(self, sample: Array, reference: Array | None) -> Array:
        """Returns which row (R,) of the leaves each row of a table starts from."""
        chosen = np.zeros_like(sample) if reference is None else reference
        return chosen if self.shared else sample * self.count + chosen

    def take(self, backend: GradBackend, index: Array | None) -> References:
        """Returns the baselines of the samples at `index` (M,); of all for None."""
        if index is None or self.shared:
            return self
        rows = (index[:, None] * self.count + np.arange(self.count)).ravel().astype(np.int32)
        native = backend.to_native(rows, self.leaves[0])
        return replace(self, leaves=[backend.batch(leaf, native) for leaf in self.leaves])

    def single(self, leaf: int) -> Tensor | None:
        """The baseline (N, ...) or (1, ...) of one input, where a sample has only one."""
        return self.leaves[leaf] if self.count == 1 else None
