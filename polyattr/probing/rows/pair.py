"""Two samples, scored and differentiated side by side in any order and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.engine.forward import Forward
from polyattr.probing.rows.unlike import most_unlike
from polyattr.question.inputs import Inputs
from polyattr.scores.scorer import check_gradient
from polyattr.scores.targets import Targets

Array = np.ndarray[Any, Any]

ALIKE = 0.25
"""Samples that differ by less than this fraction of their size are tried again with others."""
_HALF = ALIKE / 2
"""A sample and its half differ in size alone: they count as alike."""

_COARSE_PRODUCTS = 2.0**-11
"""The rounding of the factors of products in TF32: on GPUs that is the default of convolutions in
PyTorch, and of all products in JAX."""


@dataclass(frozen=True)
class Pair:
    """Two samples, scored in any order and number.

    Attributes:
        forward: Evaluates scores.
        inputs: The two.
        targets: Theirs.
        unlike: How much they differ.
    """

    forward: Forward
    inputs: Inputs
    targets: Targets
    unlike: float

    @property
    def dtype(self) -> str:
        """The dtype of the samples."""
        return self.forward.backend.dtype(self.inputs.leaves[0])

    def scores(
        self,
        shape: tuple[int, ...],
        nudge: float = 0.0,
        fresh: bool = False,
        coarse: bool = False,
        pattern: int = 0,
    ) -> Array:
        """Scores (R,) of the samples with the numbers in `shape`.

        Args:
            shape: R numbers, 0 or 1.
            nudge: Relative change of the samples.
            pattern: Which way each number is changed: 0 for all alike.
            fresh: Whether the model is traced anew.
            coarse: Whether samples are rounded to single precision first.
        """
        backend, leaves = self.forward.backend, self._moved(nudge, pattern, coarse=coarse)
        index = backend.to_native(np.array(shape, np.int32), leaves[0])

        def rows(tensors: list[Tensor]) -> list[Tensor]:
            return [backend.batch(tensor, index) for tensor in tensors]

        few = replace(
            self.inputs,
            leaves=rows(leaves),
            n=len(shape),
            companions=rows(self.inputs.companions),
        )
        forward = self.forward.anew() if fresh else self.forward
        goals = rows(self.targets.columns)
        found = forward.scores(few.leaves, few, self.targets.rule, goals, None)
        return found.astype(np.float64)

    def _moved(self, nudge: float, pattern: int, *, coarse: bool) -> list[Tensor]:
        """Returns the samples (2, ...) of each input, changed as `scores` says."""
        backend, leaves = self.forward.backend, self.inputs.leaves
        if coarse:
            leaves = [backend.cast(backend.cast(x, "float32"), backend.dtype(x)) for x in leaves]
        if not nudge:
            return leaves
        factors = [self._signs(x, pattern) * nudge + 1 for x in leaves]
        pairs = zip(leaves, factors, strict=True)
        return [backend.cast(x * factor, backend.dtype(x)) for x, factor in pairs]

    def gradients(self, shape: tuple[int, ...]) -> list[Array]:
        """Differentiates the scores (R,) of the samples: (R, ...) for each input it reaches."""
        backend, scorer = self.forward.backend, self.forward.scorer
        index = backend.to_native(np.array(shape, np.int32), self.inputs.leaves[0])

        def rows(tensors: list[Tensor]) -> list[Tensor]:
            return [backend.batch(tensor, index) for tensor in tensors]

        layout, rule, state = self.inputs.layout, self.targets.rule, scorer.bound.state()
        context = self.inputs.context(self.targets.columns).rows(rows)
        leaves = rows(self.inputs.leaves)
        _, found = backend.grad(lambda at: scorer.score(layout, rule, state, at, context), leaves)
        for gradient, leaf in zip(found, leaves, strict=True):
            if gradient is not None:
                check_gradient(gradient, leaf, backend)
        return [backend.to_numpy(g).astype(np.float64) for g in found if g is not None]

    def scores_if_possible(self, shape: tuple[int, ...], rows: int) -> Array | None:
        """Scores (R,); None where they take too much memory, or no tile is like that."""
        try:
            return self.scores(shape)
        except Exception as error:
            if len(shape) == rows and not self.forward.backend.is_out_of_memory(error):
                raise
            return None

    def steady(
        self, shape: tuple[int, ...], found: Array, most: float, fresh: bool = False
    ) -> bool:
        """Says whether another evaluation gives the scores (R,) that were `found`, but for `most`.

        With `fresh`, the model is traced anew for it.
        """
        return bool(np.abs(self.scores(shape, fresh=fresh) - found).max() <= most)

    @cached_property
    def rounding(self) -> float:
        """How far rounding may move a score: what a few roundings of the samples do to it."""
        unit = float(np.finfo(self.computed if self.computed != "bfloat16" else "float32").eps)
        unit *= 2**16 if self.computed == "bfloat16" else 1
        backend, patterns = self.forward.backend, [0]
        if self.dtype == "float32" and backend.accelerated(self.inputs.leaves[0]):
            # There products may be taken of eleven bits of each number, which a few numbers of the
            # samples show that move on their own: all alike scale a score with its rounding.
            unit, patterns = _COARSE_PRODUCTS, [0, 1, 2]
        alone = self.scores((0, 1))
        moved = [
            np.abs(self.scores((0, 1), k * unit, pattern=pattern) - alone).max()
            for k in (-4, -2, 2, 4)
            for pattern in patterns
        ]
        return 8 * float(np.max(moved))

    def _signs(self, leaf: Tensor, pattern: int) -> Any:
        """Returns 1 or -1 for each number of a sample (1, ...); a plain 1 for pattern 0."""
        if not pattern:
            return 1.0
        shape = (1, *(int(size) for size in leaf.shape[1:]))
        signs = np.random.default_rng(pattern).choice((-1.0, 1.0), shape)
        return self.forward.backend.to_native(signs, leaf, self.forward.backend.dtype(leaf))

    @cached_property
    def computed(self) -> str:
        """The dtype that the model computes in, which is not always that of the samples.

        A model in single precision takes float64, too; changes that only float64 sees then leave
        its scores as they are to the bit.
        """
        if self.dtype != "float64":
            return self.dtype
        alone = self.scores((0, 1), coarse=True)
        moved = self.scores((0, 1), 2.0**-34, coarse=True)
        return "float32" if (moved == alone).all() else "float64"


def pair_of(forward: Forward, inputs: Inputs, targets: Targets) -> Pair | None:
    """Takes the two most unlike samples; of one sample, it and its half, on its path to zero."""
    backend = forward.backend
    first, second, unlike = most_unlike(host(backend, inputs))
    index = np.array([first, second], np.int32)
    native = backend.to_native(index, inputs.leaves[0])

    def both(tensors: Sequence[Tensor]) -> list[Tensor]:
        return [backend.batch(tensor, native) for tensor in tensors]

    leaves = both(inputs.leaves)
    if unlike == 0:
        leaves = [_with_half(backend, leaf) for leaf in leaves]
        if most_unlike([backend.to_numpy(leaf) for leaf in leaves])[2] == 0:
            return None
        unlike = _HALF
    few = replace(inputs, leaves=leaves, n=2, companions=both(inputs.companions))
    return Pair(forward, few, replace(targets, columns=both(targets.columns)), unlike)


def _with_half(backend: GradBackend, rows: Tensor) -> Tensor:
    """Returns the first of `rows` (2, ...), and its half, made where nothing is compiled for it."""
    first = backend.to_numpy(rows)[0]
    return backend.to_native(np.stack([first, first / 2]), rows, backend.dtype(rows))


def host(backend: GradBackend, inputs: Inputs) -> list[Array]:
    """Copies samples, and what comes with each of them, to NumPy."""
    return [backend.to_numpy(leaf) for leaf in [*inputs.leaves, *inputs.companions]]
