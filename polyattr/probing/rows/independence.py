"""The check that a sample's score depends neither on the rows beside it, its place, nor chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from polyattr.backend import GradBackend
from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.errors import ModelOutputError, RandomModelWarning, warn
from polyattr.probing.rows.pair import ALIKE, Pair, host, pair_of
from polyattr.probing.rows.unlike import most_unlike
from polyattr.question.inputs import Inputs
from polyattr.scores.targets import Targets

Array = np.ndarray[Any, Any]

_STEADY = 0.02
"""Two equal evaluations may differ by this part of what is noticeable: an accelerator's sums."""
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

    def is_final(self, n: int) -> bool:
        """Says whether no `n` samples can be any more unlike, and nothing has to be told."""
        return not self.random and (self.unlike >= ALIKE or n == 1)

    def covers(self, backend: GradBackend, inputs: Inputs) -> bool:
        """Says whether samples much more unlike than those of `inputs` were tried already."""
        if self.random or self.unlike >= ALIKE or inputs.n == 1:
            return True
        return most_unlike(host(backend, inputs))[2] <= _MORE_UNLIKE * self.unlike


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
    pair = pair_of(forward, inputs, targets)
    if pair is None:
        return None
    _check_first(pair)
    return _compare(pair, rows)


def _check_first(pair: Pair) -> None:
    """Compares scores with those of the state at the beginning, if there was another one.

    What a model takes from the first rows it sees, such as their mean, does not change again.

    Raises:
        ModelOutputError: They differ: every evaluation has to start from that state.
    """
    guard = pair.forward.scorer.guard
    if guard.on or guard.kept is None or not guard.kept.changed_arrays(modules_only=True):
        return
    now = pair.scores((1, 1))
    guard.kept.put_arrays_back()
    first = pair.scores((1, 1))
    most = FLOATS[pair.dtype].noticeable * float(np.abs([now, first]).max())
    if np.isfinite([now, first]).all() and np.abs(now - first).max() > most:
        raise ModelOutputError(
            f"a sample is scored {first[0]:.6g} in the first evaluation and {now[0]:.6g} later: "
            f"the model keeps something of the first samples it sees; {ALONE}"
        )


def _compare(pair: Pair, rows: int) -> Tried:
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
    return Tried(pair.unlike, random=not _gradients_steady(pair))


def _gradients_steady(pair: Pair) -> bool:
    """Compares gradients too, where that costs no compilation: hooks may mix those alone.

    Returns:
        Whether two equal evaluations give the same.

    Raises:
        ModelOutputError: They do, and are others beside another sample.
    """
    if type(pair.forward.backend).compile is not GradBackend.compile:
        return True
    together = pair.gradients((0, 1))
    for sample in (0, 1):
        if not _differ(pair, together, pair.gradients((sample, sample)), sample):
            continue
        if any(_differ(pair, together, pair.gradients((0, 1)), row) for row in (0, 1)):
            return False
        raise ModelOutputError(
            f"a sample has another gradient beside itself and beside another sample, with "
            f"the same score; {ALONE}. Does a hook or a gradient of the model's own "
            f"normalise or average over the first axis?"
        )
    return True


def _differ(pair: Pair, these: list[Array], those: list[Array], row: int) -> bool:
    """Says whether gradients (2, ...) of a row are noticeably others."""
    for this, that in zip(these, those, strict=True):
        with np.errstate(invalid="ignore"):  # what is not finite is told of elsewhere
            change, size = np.abs(this[row] - that[row]).sum(), np.abs(that[row]).sum()
        if change <= 10 * FLOATS[pair.dtype].noticeable * size:
            continue  # what the model computes in takes evaluations to tell
        if change > 10 * FLOATS[pair.computed].noticeable * size:
            return True
    return False


_IN_TWOS = ((0, 0), (1, 1), (1, 0), (0, 1))
"""The samples by number. A maximum over rows shows in one of the two only, hence each by itself."""


def _others(backend: GradBackend, rows: int) -> list[tuple[int, ...]]:
    """Other numbers of rows: that of a tile, and where it costs no compilation smaller ones.

    The two samples take turns in a sequence without a period: groups of rows may mix.
    """
    compiled = type(backend).compile is not GradBackend.compile
    sizes = [rows] if compiled and rows != 2 else [rows, 3] if compiled else [rows, 1, 3]
    return [tuple(row.bit_count() % 2 for row in range(n)) for n in dict.fromkeys(sizes) if n != 2]


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
