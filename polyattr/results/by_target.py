"""Results of several targets: from a row for each sample and target to an axis of targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.question.structure import map_leaves
from polyattr.results.attribution import Attribution
from polyattr.results.fields import PER_SAMPLE

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Sorted:
    """Sorts what is known of N * T rows, the targets of a sample in a row, by target.

    Attributes:
        backend: The framework.
        targets: How many there are, T.
    """

    backend: GradBackend
    targets: int

    def values(self, values: Any) -> Any:
        """Returns tensors (T, N, ...) for those (N * T, ...) in any containers."""
        return map_leaves(lambda leaf: None if leaf is None else self._leaf(leaf), values)

    def _leaf(self, leaf: Tensor) -> Tensor:
        return self.backend.concat([leaf[t :: self.targets][None] for t in range(self.targets)])

    def attribution(self, result: Attribution | None) -> Attribution | None:
        """Returns the same, of which all that is one entry per sample is (T, N, ...)."""
        if result is None:
            return None
        sorted_out: dict[str, Any] = {
            name: self._array(array)
            for name in PER_SAMPLE
            if isinstance(array := getattr(result, name), np.ndarray)
        }
        for name in ("values", "standard_error"):
            sorted_out[name] = self.values(getattr(result, name))
        return replace(result, **sorted_out)

    def _array(self, array: Array) -> Array:
        whole = array.reshape(-1, self.targets, *array.shape[1:])
        return np.ascontiguousarray(whole.swapaxes(0, 1))

    def worst(self, error: Array | None) -> Array | None:
        """Returns the largest error (N,) of each sample, NaN where none of them is known."""
        if error is None:
            return None
        largest: Array = np.fmax.reduce(self._array(error), axis=0)
        return largest
