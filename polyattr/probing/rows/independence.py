"""The check that a sample's score depends neither on the rows beside it, its place, nor chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from polyattr.backend import GradBackend, Tensor
from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.engine.tile import check_gradient
from polyattr.errors import ModelOutputError, RandomModelWarning, warn
from polyattr.probing.rows.unlike import most_unlike
from polyattr.question.inputs import Inputs
from polyattr.scores.targets import Targets

Array = np.ndarray[Any, Any]

_STEADY = 0.02
"""Two equal evaluations may differ by this part of what is noticeable: an accelerator's sums."""
_ALIKE = 0.25
"""Samples that differ by less than this fraction of their size are tried again with others."""
_HALF = _ALIKE / 2
"""A sample and its half differ in size alone: they count as alike."""
_MORE_UNLIKE = 4.0
"""How much more samples must differ than those that were tried to be tried themselves."""

ALONE = "expected every sample to be scored on its own"


@dataclass(frozen=True)
class Tried:
    """What the check found.

    Attributes:
        unlike: How much the two samples differed that were tried, as `most_unlike` measures it.
        random: Whether equal evaluations differ.
        frozen: Whether they differ only between compilations.
    """

    unlike: float
    random: bool = False
    frozen: bool = False

    def covers(self, backend: GradBackend, inputs: Inputs) -> bool:
        """Says whether samples much more unlike than those of `inputs` were tried already."""
        if self.random or self.unlike >= _ALIKE or inputs.n == 1:
            return True
        return most_unlike(_host(backend, inputs))[2] <= _MORE_UNLIKE * self.unlike


def check_rows(forward: Forward, inputs: Inputs, targets: Targets, rows: int) -> Tried | None:
    """Compares the scores of the two most unlike samples, side by side in several ways.

    Each is tried beside itself, beside the other in both orders, and in a tile of as many rows as
    the model will be called with.

    Args:
        forward: Evaluates scores.
        inputs: The samples.
        targets: What is explained.
        rows: Rows of a gradient call.

    Returns:
        What was found; None where it cannot be told: all there is is one sample of zeros.

    Raises:
        ModelOutputError: Scores differ, and not because the model is random.
    """
    pair = _pair(forward, inputs, targets)
    return None if pair is None else _compare(pair, rows)


def _compare(pair: _Pair, rows: int) -> Tried:
    twos = {shape: pair.scores(shape) for shape in _IN_TWOS}
    alone = np.array([twos[0, 0][0], twos[1, 1][1]])
    if not np.isfinite(alone).all():
        return Tried(pair.unlike)  # trouble of another kind, reported elsewhere
    most = FLOATS[pair.dtype].noticeable * float(np.nanmax(np.abs(list(twos.values()))))
    drawn = pair.forward.scorer.bound.draws
    if drawn or not pair.steady((0, 1), twos[0, 1], _STEADY * most):
        return Tried(pair.unlike, random=True)
    for shape in [*_IN_TWOS, *_others(pair.forward.backend, rows)]:
        found = twos[shape] if shape in twos else pair.scores_if_possible(shape, rows)
        if found is None or np.abs(found - alone[list(shape)]).max() <= most:
            continue
        # Now it is worth some evaluations to tell chance and rounding from rows that depend.
        most = max(most, pair.rounding)
        if not pair.steady(shape, found, _STEADY * most):
            return Tried(pair.unlike, random=True)
        if not pair.steady(shape, found, _STEADY * most, fresh=True):
            return Tried(pair.unlike, random=True, frozen=True)
        wrong = ~(np.abs(found - alone[list(shape)]) <= most)
        if wrong.any():
            raise ModelOutputError(_mixed(shape, found, alone, int(np.argmax(wrong))))
    _check_gradients(pair)
    return Tried(pair.unlike)


def _check_gradients(pair: _Pair) -> None:
    """Compares gradients too, where that costs no compilation: hooks may mix those alone.

    Raises:
        ModelOutputError: They differ beside another sample.
    """
    if type(pair.forward.backend).compile is not GradBackend.compile:
        return
    together = pair.gradients((0, 1))
    for sample in (0, 1):
        for mixed, own in zip(together, pair.gradients((sample, sample)), strict=True):
            with np.errstate(invalid="ignore"):  # what is not finite is told of elsewhere
                change, size = np.abs(mixed[sample] - own[sample]).sum(), np.abs(own[sample]).sum()
            if change > 10 * FLOATS[pair.dtype].noticeable * size:
                raise ModelOutputError(
                    f"a sample has another gradient beside itself and beside another sample, with "
                    f"the same score; {ALONE}. Does a hook or a gradient of the model's own "
                    f"normalise or average over the first axis?"
                )


_IN_TWOS = ((0, 0), (1, 1), (1, 0), (0, 1))
"""The samples by number. A maximum over rows shows in one of the two only, hence each by itself."""


def _others(backend: GradBackend, rows: int) -> list[tuple[int, ...]]:
    """Other numbers of rows: that of a tile, and where it costs no compilation smaller ones.

    The two samples take turns in a sequence without a period: groups of rows may mix.
    """
    compiled = type(backend).compile is not GradBackend.compile
    sizes = [rows] if compiled and rows != 2 else [rows, 3] if compiled else [rows, 1, 3]
    return [tuple(row.bit_count() % 2 for row in range(n)) for n in dict.fromkeys(sizes) if n != 2]


def _pair(forward: Forward, inputs: Inputs, targets: Targets) -> _Pair | None:
    """Takes the two most unlike samples; of one sample, it and its half, on its path to zero."""
    backend = forward.backend
    first, second, unlike = most_unlike(_host(backend, inputs))
    index = np.array([first, second], np.int32)
    native = backend.to_native(index, inputs.leaves[0])

    def both(tensors: Sequence[Tensor]) -> list[Tensor]:
        return [backend.batch(tensor, native) for tensor in tensors]

    leaves = both(inputs.leaves)
    if unlike == 0:
        halves = [backend.cast(leaf[:1] * 0.5, backend.dtype(leaf)) for leaf in leaves]
        leaves = [backend.concat([x[:1], half]) for x, half in zip(leaves, halves, strict=True)]
        if most_unlike([backend.to_numpy(leaf) for leaf in leaves])[2] == 0:
            return None
        unlike = _HALF
    few = replace(inputs, leaves=leaves, n=2, companions=both(inputs.companions))
    return _Pair(forward, few, replace(targets, columns=both(targets.columns)), unlike)


def _host(backend: GradBackend, inputs: Inputs) -> list[Array]:
    return [backend.to_numpy(leaf) for leaf in [*inputs.leaves, *inputs.companions]]


@dataclass(frozen=True)
class _Pair:
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

    def scores(self, shape: tuple[int, ...], nudge: float = 0.0, fresh: bool = False) -> Array:
        """Scores (R,) of the samples with the numbers in `shape`.

        Args:
            shape: R numbers, 0 or 1.
            nudge: Relative change of the samples.
            fresh: Whether the model is traced anew.
        """
        backend = self.forward.backend
        leaves = self.inputs.leaves
        if nudge:
            leaves = [backend.cast(x * (1 + nudge), backend.dtype(x)) for x in leaves]
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
        unit = float(np.finfo(self.dtype if self.dtype != "bfloat16" else "float32").eps)
        unit *= 2**16 if self.dtype == "bfloat16" else 1
        alone = self.scores((0, 1))
        moved = [np.abs(self.scores((0, 1), k * unit) - alone).max() for k in (-4, -2, 2, 4)]
        return 8 * float(np.max(moved))


def warn_random(frozen: bool) -> None:
    """Tells of a model that draws random numbers, in every evaluation or once when compiled."""
    where = (
        "each compilation of the model draws numbers of its own (with NumPy or Python), which stay"
        if frozen
        else "two equal evaluations of the model differ"
    )
    warn(
        f"the model is random: {where}, so the map holds for these draws only, and whether rows "
        f"are independent cannot be told. Turn off what draws: dropout called as a function or "
        f"with training=True, sampling layers; or average with SmoothGrad",
        RandomModelWarning,
    )


def _mixed(shape: tuple[int, ...], found: Array, alone: Array, row: int) -> str:
    """Says what a sample's score depends on beside the sample."""
    this, other = f"{alone[shape[row]]:.6g}", f"{found[row]:.6g}"
    if len(shape) != 2:
        return (
            f"a sample is scored {this} among 2 rows and {other} as row {row} of {len(shape)}; "
            f"{ALONE}. Does the model divide by the number of rows, add something by the number "
            f"of the row, or mix groups of rows?"
        )
    if shape[0] == shape[1]:
        return (
            f"a sample is scored {this} as one row and {other} as another, beside itself; "
            f"{ALONE}. Does the model add something by the number of the row, such as positions "
            f"along the first axis, noise of a fixed seed, or a state for each row?"
        )
    return (
        f"a sample is scored {this} beside itself and {other} beside "
        f"another sample; {ALONE}. Does the model normalise, "
        f"average or take a softmax over the first axis, or keep statistics of the batch?"
    )
