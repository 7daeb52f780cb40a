"""Values of the model alone, without gradients, in tiles of equal shape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.inputs import Inputs
from polyattr.kernels import Kernels
from polyattr.scoring import Scorer
from polyattr.targets import Targets
from polyattr.tiles import balanced


@dataclass(frozen=True)
class Forward:
    """Evaluates outputs and scores.

    Attributes:
        scorer: Model and operator.
        kernels: Where compiled kernels are kept.
    """

    scorer: Scorer
    kernels: Kernels

    def outputs(self, inputs: Inputs, batch_size: int | None) -> np.ndarray[Any, Any]:
        """Evaluates the model's outputs (N, ...) on the inputs, and copies them to the host."""
        structure = inputs.structure
        kernel = self.kernels.get(
            ("outputs", structure),
            lambda: self.scorer.backend.compile(
                lambda state, rows, _: self.scorer.outputs(structure, state, rows)
            ),
        )
        return self._run(kernel, inputs.leaves, [], batch_size)

    def scores(
        self, leaves: list[Tensor], inputs: Inputs, targets: Targets, batch_size: int | None
    ) -> np.ndarray[Any, Any]:
        """Evaluates the scores (N,) at `leaves`, which have the structure of `inputs`."""
        structure = inputs.structure
        kernel = self.kernels.get(
            ("scores", structure, targets.kind, targets.select),
            lambda: self.scorer.backend.compile(
                lambda state, rows, goals: self.scorer.score(structure, targets, state, rows, goals)
            ),
        )
        return self._run(kernel, leaves, targets.columns, batch_size)

    def _run(
        self,
        kernel: Callable[..., Any],
        leaves: list[Tensor],
        columns: list[Tensor],
        batch_size: int | None,
    ) -> np.ndarray[Any, Any]:
        backend, n = self.scorer.backend, int(leaves[0].shape[0])
        tiles, rows = balanced(n, batch_size or n)
        parameters = self.scorer.bound.state()
        parts = []
        for tile in range(tiles):
            index = None if tiles == 1 else clipped_range(tile * rows, rows, n)
            goals = take_rows(backend, columns, index)
            parts.append(kernel(parameters, take_rows(backend, leaves, index), goals))
        return np.concatenate([backend.to_numpy(part) for part in parts])[:n]


def take_rows(
    backend: GradBackend, leaves: list[Tensor], index: np.ndarray[Any, Any] | None
) -> list[Tensor]:
    """Gathers the same rows of every leaf; all of them, without a copy, if `index` is None."""
    if index is None or not leaves:
        return leaves
    native = backend.to_native(index.astype(np.int32), leaves[0])
    return [backend.batch(leaf, native) for leaf in leaves]


def clipped_range(start: int, size: int, n: int) -> np.ndarray[Any, Any]:
    """Returns ``start .. start + size`` with positions past the end repeating the last."""
    return np.minimum(np.arange(start, start + size), n - 1)
