"""Whether an argument belongs to samples, where only its size says so: the model is tried."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, combinations
from typing import Any

import numpy as np

from polyattr.dtypes import FLOATS
from polyattr.engine.forward import Forward
from polyattr.engine.kernels import make_room
from polyattr.errors import InputError
from polyattr.probing.failures.attempts import evaluated, outline_rows, rows
from polyattr.question.inputs import Inputs

Array = np.ndarray[Any, Any]

_MOST_KNOWN = 64
_MOST_COMBINED = 3
_COARSE = 0.02
"""Rounding on an accelerator, where products of float32 may be taken of eleven bits."""

_DIFFERENT = (
    "the model runs with a row for each sample as well as with the whole for all of them, to "
    "different outputs"
)
_UNTOLD = "the model gives other outputs for the same samples in another order, whichever it is"
_TOO_MUCH = (
    "all samples together, with which the model would have to be tried, take too much memory"
)


class Belonging:
    """Remembers for each way in which a model is called which arguments all samples share.

    An edge index of a graph, or a mask (T, T), may have as many entries on its first axis as there
    are samples. Cut into rows like the samples it is another argument, and some models run with it.

    Args:
        forward: Evaluates the model.
    """

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        self._known: dict[object, frozenset[int]] = {}

    def settle(self, inputs: Inputs) -> Inputs:
        """Returns the inputs with what all samples share taken as shared.

        Raises:
            InputError: It cannot be told.
        """
        return inputs.sharing(self.shared(inputs)) if inputs.guessed else inputs

    def shared(self, inputs: Inputs) -> frozenset[int]:
        """Returns the slots of those arguments that went by their size, and belong to no sample.

        Raises:
            InputError: It cannot be told.
        """
        signature = inputs.signature(self._forward.backend)
        # What has rows has them for any number of samples; the same size can be an accident once.
        for key in (signature, (signature, inputs.n)):
            if key in self._known:
                return self._known[key]
        found = _decide(self._forward, inputs)
        make_room(self._known, _MOST_KNOWN)
        self._known[(signature, inputs.n) if found else signature] = found
        return found


def _decide(forward: Forward, inputs: Inputs) -> frozenset[int]:
    """Tries the model on repeated and exchanged rows, with the arguments cut likewise or whole."""
    index = _rows(inputs.n)
    choices = {some: inputs.sharing(some) for some in _choices(inputs)}
    readable = all(map(forward.backend.readable, (*inputs.leaves, *inputs.companions)))
    if readable and any(map(forward.backend.accelerated, (*inputs.leaves, *inputs.companions))):
        return _decide_on_device(forward, inputs, choices)
    running = [some for some, tried in choices.items() if outline_rows(forward, tried, index)]
    if len(running) <= 1 or not readable:
        # Where none runs, the trial that follows says what is wrong.
        return running[0] if running else frozenset()
    every = [rows(forward, choices[some], index) or [] for some in running]
    if all(_alike(every[0], other) for other in every[1:]):
        return running[0]
    # As the user calls the model, with all rows, nothing is cut: the same row is the same output.
    plain = rows(forward, inputs, np.arange(inputs.n, dtype=np.int32))
    if plain is not None:
        wanted = [output[index] for output in plain]
        for some, outputs in zip(running, every, strict=True):
            if _alike(wanted, outputs):
                return some
    raise InputError(_ambiguous(inputs))


def _decide_on_device(
    forward: Forward, inputs: Inputs, choices: dict[frozenset[int], Inputs]
) -> frozenset[int]:
    """Tries nothing of sizes that the user's own call has not, until that leaves several choices.

    An accelerator checks an index where it is used, at a time of its own: one past the end, as by
    lengths of more samples than there are, ends all work of the process there. And where it is not
    checked, it gives another row without a word.
    """
    n = inputs.n
    plain = _wanted(forward, inputs, inputs, np.arange(n, dtype=np.int32))
    if plain is None:
        return frozenset()  # the trial that follows says what is wrong

    def agrees(some: frozenset[int], index: Array) -> bool:
        found = _wanted(forward, inputs, choices[some], index)
        wanted = [output[index] for output in plain]
        return found is not None and _alike(wanted, found, _COARSE)

    turned = np.roll(np.arange(n, dtype=np.int32), -1)
    left = list(choices) if n == 1 else [some for some in choices if agrees(some, turned)]
    if len(left) == 1:
        return left[0]
    # One row more: what counts rows in one argument stays within those of another. The first that
    # agrees is taken, none shared before all others, so that what would be cut wrongly is not run.
    more = np.append(turned, turned[:1])
    for some in left:
        if agrees(some, more):
            return some
    raise InputError(_ambiguous(inputs, _DIFFERENT if left else _UNTOLD))


def _wanted(forward: Forward, given: Inputs, inputs: Inputs, index: Array) -> list[Array] | None:
    """Evaluates rows (R,) of `inputs`; None where the model does not run.

    Raises:
        InputError: They take too much memory.
    """
    try:
        return evaluated(forward, inputs, index)
    except Exception as error:  # whatever the model raises on arguments it does not take
        if forward.backend.is_out_of_memory(error):
            raise InputError(_ambiguous(given, _TOO_MUCH)) from error
        return None


def _rows(n: int) -> Array:
    """Chooses rows (R,) that come in another order and number than the samples, R other than n."""
    if n == 1:
        return np.zeros(2, np.int32)
    return np.array([1, 1, 0, 2] if n == 3 else [1, 1, 0], np.int32)


def _choices(inputs: Inputs) -> Iterator[frozenset[int]]:
    """Yields which arguments may be shared, none first; of many, each alone and all."""
    slots, few = inputs.guessed, len(inputs.guessed) <= _MOST_COMBINED
    sizes = range(len(slots) + 1) if few else (0, 1, len(slots))
    yield from map(frozenset, chain.from_iterable(combinations(slots, size) for size in sizes))


def _alike(first: list[Any], second: list[Any], least: float = 0.0) -> bool:
    """Says whether outputs (R, ...) are equal but for rounding, `least` of the largest or more."""
    if [a.shape for a in first] != [b.shape for b in second]:
        return False
    return all(_close(a, b, least) for a, b in zip(first, second, strict=True))


def _close(a: Array, b: Array, least: float) -> bool:
    scale = float(np.max(np.abs(a), initial=0.0, where=np.isfinite(a)))
    noticeable = max(FLOATS[a.dtype.name].noticeable, least) * scale
    return bool(np.allclose(a, b, rtol=0.0, atol=noticeable, equal_nan=True))


def _ambiguous(inputs: Inputs, why: str = _DIFFERENT) -> str:
    return (
        f"{inputs.guessed_names()}: as many entries on the first axis as there are samples, "
        f"{inputs.n}, and {why}; say which it is: batched=(0, 'name') names what has "
        f"rows among forward_args and forward_kwargs, batched=() says that nothing has"
    )
